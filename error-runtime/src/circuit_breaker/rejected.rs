//! What a caller gets for a call that a policy did not let through.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::{ApiError, Classification, ErrorSpec, Outcome};

/// The name of a service. It reads as a `str`; copying one that was a literal costs nothing.
#[derive(Clone)]
pub struct ServiceName(Repr);

#[derive(Clone)]
enum Repr {
    Static(&'static str),
    Shared(Arc<str>),
}

impl ServiceName {
    pub(crate) const fn from_static(name: &'static str) -> Self {
        Self(Repr::Static(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Static(name) => name,
            Repr::Shared(name) => name,
        }
    }
}

impl From<&'static str> for ServiceName {
    fn from(name: &'static str) -> Self {
        Self::from_static(name)
    }
}

impl From<String> for ServiceName {
    fn from(name: String) -> Self {
        Self(Repr::Shared(name.into()))
    }
}

impl AsRef<str> for ServiceName {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Hash for ServiceName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As `str` does, which it borrows as.
        self.as_str().hash(state);
    }
}

impl From<Cow<'static, str>> for ServiceName {
    fn from(name: Cow<'static, str>) -> Self {
        Self(match name {
            Cow::Borrowed(name) => Repr::Static(name),
            Cow::Owned(name) => Repr::Shared(name.into()),
        })
    }
}

impl Deref for ServiceName {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for ServiceName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ServiceName {}

impl PartialOrd for ServiceName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ServiceName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Borrow<str> for ServiceName {
    fn borrow(&self) -> &str {
        self
    }
}

impl PartialEq<str> for ServiceName {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for ServiceName {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl serde::Serialize for ServiceName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// A circuit that is open: the call was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CircuitOpen {
    /// The breaker's name.
    pub service: ServiceName,
    /// When the circuit may let a probe through; `None` if it was forced open without end.
    pub retry_after: Option<Duration>,
}

impl CircuitOpen {
    /// A refusal by this service's breaker, for tests of what is done about it.
    pub fn new(service: impl Into<ServiceName>, retry_after: Option<Duration>) -> Self {
        Self {
            service: service.into(),
            retry_after,
        }
    }
}

impl fmt::Display for CircuitOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the circuit of {} is open", self.service)
    }
}

impl std::error::Error for CircuitOpen {}

/// Why a call was not made, or was cut off, by a policy of this process.
///
/// A function under `#[circuit_breaker]`, `#[timeout]`, `#[bulkhead]` or `#[rate_limit]` returns it
/// within its own error type, which takes it by `From<Rejected>`:
///
/// ```
/// use error_runtime::{ApiError, Rejected};
///
/// #[derive(Debug, ApiError)]
/// enum PaymentError {
///     #[api(status = 402, message = "the card was declined")]
///     Declined,
///     #[api(transparent)]
///     Rejected(#[from] Rejected),
/// }
/// # let _ = PaymentError::Declined;
/// assert_eq!(PaymentError::from(Rejected::Timeout).status(), 504);
/// ```
///
/// The client is told that it may try again, with `Retry-After` where the wait is known. Within the
/// process a rejection is neither retried nor counted by a breaker, but for `Timeout`, which is both.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejected {
    /// The circuit is open: 503 `SERVICE_UNAVAILABLE`.
    CircuitOpen(CircuitOpen),
    /// It took too long: 504 `GATEWAY_TIMEOUT`.
    Timeout,
    /// As many calls as allowed are running: 503 `SERVICE_UNAVAILABLE`.
    BulkheadFull,
    /// More calls than allowed: 429 `RATE_LIMITED`.
    RateLimited,
}

impl From<CircuitOpen> for Rejected {
    fn from(open: CircuitOpen) -> Self {
        Self::CircuitOpen(open)
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CircuitOpen(open) => open.fmt(f),
            Self::Timeout => f.write_str("the call took too long"),
            Self::BulkheadFull => f.write_str("too many calls are running"),
            Self::RateLimited => f.write_str("too many calls"),
        }
    }
}

impl std::error::Error for Rejected {}

// A layer's error may be all that a handler has.
crate::__private::impl_responses! { [] [Rejected] [] }

impl ApiError for Rejected {
    fn spec(&self) -> &'static ErrorSpec {
        const fn spec(status: StatusCode, code: &'static str, name: &'static str) -> ErrorSpec {
            ErrorSpec::new("error-runtime", code, status)
                .with_name(name)
                .with_recoverable(true)
                // An open circuit is the consequence of failures that were reported.
                .with_report(false)
        }
        static CIRCUIT_OPEN: ErrorSpec = spec(
            StatusCode::SERVICE_UNAVAILABLE,
            "SERVICE_UNAVAILABLE",
            "CircuitOpen",
        )
        .with_outcome(Outcome::Neutral);
        static TIMEOUT: ErrorSpec = spec(StatusCode::GATEWAY_TIMEOUT, "GATEWAY_TIMEOUT", "Timeout");
        static BULKHEAD: ErrorSpec = spec(
            StatusCode::SERVICE_UNAVAILABLE,
            "SERVICE_UNAVAILABLE",
            "BulkheadFull",
        )
        .with_outcome(Outcome::Neutral);
        static RATE_LIMIT: ErrorSpec =
            spec(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", "RateLimited")
                .with_outcome(Outcome::Neutral);
        match self {
            Self::CircuitOpen(_) => &CIRCUIT_OPEN,
            Self::Timeout => &TIMEOUT,
            Self::BulkheadFull => &BULKHEAD,
            Self::RateLimited => &RATE_LIMIT,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::CircuitOpen(open) => open.retry_after,
            Self::Timeout | Self::BulkheadFull | Self::RateLimited => None,
        }
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::Timeout)
    }

    fn __classification(&self) -> Classification {
        let classification = match self {
            Self::Timeout => Classification::new(true, Outcome::Trip),
            _ => Classification::new(false, Outcome::Neutral)
                .with_retry_after(self.retry_after())
                .with_rejected(true),
        };
        classification.with_code(self.spec().code)
    }
}

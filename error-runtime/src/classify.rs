//! What retry and circuit breaker ask of an error: one method, one answer.

use std::time::Duration;

use crate::ApiError;

/// How a circuit breaker counts a finished call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A failure of the service behind; counts towards opening the circuit.
    Trip,
    /// The service did its work, even if the caller is told of a mistake; counts as a success.
    Ok,
    /// Says nothing about the service; counts neither way.
    Neutral,
}

/// The answer of [`Classify::classify`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Classification {
    /// Another attempt may succeed.
    pub retryable: bool,
    /// How a circuit breaker counts it.
    pub outcome: Outcome,
    /// The service asked to wait at least this long before another attempt.
    pub retry_after: Option<Duration>,
    /// The call was refused by a policy of this process (open circuit, full bulkhead, rate limit)
    /// and never reached the service.
    pub rejected: bool,
    /// The machine code of the error, where it has one.
    pub code: Option<&'static str>,
}

impl Classification {
    /// A classification without a hint on when to retry, of a call that was not rejected.
    pub const fn new(retryable: bool, outcome: Outcome) -> Self {
        Self {
            retryable,
            outcome,
            retry_after: None,
            rejected: false,
            code: None,
        }
    }

    /// The same with the wait that the service asked for.
    #[must_use]
    pub const fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    /// The same with the machine code of the error.
    #[must_use]
    pub const fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The same as a rejection by a policy of this process.
    #[must_use]
    pub const fn with_rejected(mut self, rejected: bool) -> Self {
        self.rejected = rejected;
        self
    }
}

/// An error that says of itself whether a retry may help and how a circuit breaker counts it.
///
/// Every [`ApiError`] is `Classify`. The runtime implements it for [`std::io::Error`] and, under
/// their features, for the errors of tokio, reqwest, redis and tonic.
///
/// ```
/// use error_runtime::{Classification, Classify, Outcome};
///
/// struct QueueFull;
///
/// impl Classify for QueueFull {
///     fn classify(&self) -> Classification {
///         Classification::new(true, Outcome::Neutral)
///     }
/// }
/// # assert!(QueueFull.classify().retryable);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether a retry may help and how a circuit breaker counts it",
    label = "`Classify` is not implemented for `{Self}`",
    note = "derive it with `#[derive(ApiError)]`, or write `impl error_runtime::Classify for {Self}` with `fn classify(&self) -> Classification`"
)]
pub trait Classify {
    /// Whether another attempt may succeed, and how a circuit breaker counts this error.
    fn classify(&self) -> Classification;
}

// Without the attribute a missing impl would be reported as a missing `ApiError`, with all that it needs.
#[diagnostic::do_not_recommend]
impl<E: ApiError + ?Sized> Classify for E {
    fn classify(&self) -> Classification {
        self.__classification()
    }
}

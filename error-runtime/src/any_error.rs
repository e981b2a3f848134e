//! One type for a handler whose errors come from several enums.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

use crate::fault::{self, FaultPart};
use crate::field::DynamicStatus;
use crate::{
    ApiError, Classification, Classify, Details, ErrorSpec, Violations, default_code,
    public_message,
};

/// Any declared error, its type erased: what a handler returns that mixes enums.
///
/// `?` turns every [`ApiError`] that is `Send + Sync + 'static` into it, unchanged: status, code,
/// message, details and headers stay as declared. It dereferences to `dyn ApiError`, so it has all
/// methods of the trait; like anyhow's it is not itself an `Error`.
///
/// ```
/// use error_runtime::{AnyError, OptionExt as _, ResultExt as _};
///
/// fn port(config: Option<&str>) -> Result<u16, AnyError> {
///     let text = config.or_not_found("setting", "port")?;
///     Ok(text.parse().or_internal()?)
/// }
/// assert_eq!(port(None).unwrap_err().status(), 404);
/// assert_eq!(port(Some("x")).unwrap_err().code(), "INTERNAL_ERROR");
/// ```
pub struct AnyError(Box<dyn ApiError + Send + Sync>);

impl AnyError {
    /// An error with this status, code and public message. A status outside 400–599 becomes 500.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(AdHoc {
            status: DynamicStatus::new(status).get(),
            code: code.into(),
            message: message.into(),
            details: Vec::new(),
            violations: Violations::new(),
            retry_after: None,
            source: None,
        }))
    }

    /// 400 `BAD_REQUEST`.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::of(StatusCode::BAD_REQUEST, message)
    }

    /// 401 `UNAUTHORIZED`: the caller has to say who it is.
    pub fn unauthorized() -> Self {
        Self::of(StatusCode::UNAUTHORIZED, "Authentication required")
    }

    /// 403 `FORBIDDEN`: the caller is known and not allowed.
    pub fn forbidden() -> Self {
        Self::of(StatusCode::FORBIDDEN, "Access denied")
    }

    /// 404 `NOT_FOUND`: `"{resource} not found"`, with `resource` in the details.
    pub fn not_found(resource: impl Into<Cow<'static, str>>) -> Self {
        let resource = resource.into();
        Self::of(StatusCode::NOT_FOUND, format!("{resource} not found"))
            .with_detail("resource", resource)
    }

    /// 409 `CONFLICT`.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::of(StatusCode::CONFLICT, message)
    }

    /// 422 `VALIDATION_ERROR` with the violations as `details.errors`.
    pub fn validation(violations: impl Into<Violations>) -> Self {
        Self::of(StatusCode::UNPROCESSABLE_ENTITY, "Validation failed").adjusted(|error| {
            error.violations = violations.into();
        })
    }

    /// 429 `RATE_LIMITED`, with `Retry-After` where the wait is known.
    pub fn rate_limited(retry_after: impl Into<Option<Duration>>) -> Self {
        Self::of(StatusCode::TOO_MANY_REQUESTS, "Too many requests").adjusted(|error| {
            error.retry_after = retry_after.into();
        })
    }

    /// 500 `INTERNAL_ERROR`. The source is for the log; the client learns nothing of it.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::of(status, public_message(status)).with_source(source)
    }

    /// 503 `SERVICE_UNAVAILABLE`.
    pub fn unavailable() -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::of(status, public_message(status))
    }

    fn of(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, default_code(status), message)
    }

    /// Adds a member to the details of an error made by a constructor of this type, in the place of
    /// one with the same key; a declared error stays as declared. A value that cannot be serialised is
    /// left out and reported as a [`RenderFault`](crate::RenderFault).
    #[must_use]
    pub fn with_detail(self, key: impl Into<Cow<'static, str>>, value: impl Serialize) -> Self {
        let key = key.into();
        self.adjusted(|error| match fault::guarded(|| json::to_value(value)) {
            Ok(Ok(value)) => {
                error.details.retain(|(other, _)| *other != key);
                error.details.push((key, value));
            }
            Ok(Err(reason)) => error.fault(key, reason),
            Err(panic) => error.fault(key, panic),
        })
    }

    /// Keeps the cause of an error made by a constructor of this type, for the log; a declared
    /// error stays as declared.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.adjusted(|error| error.source = Some(source.into()))
    }

    /// Adds `resource_id` to the details, and to the message of a 404.
    pub(crate) fn with_resource_id(self, id: impl fmt::Display) -> Self {
        let id = id.to_string();
        self.adjusted(|error| {
            if let Some((_, json::Value::String(resource))) = error.details.first() {
                error.message = format!("{resource} {id} not found").into();
            }
        })
        .with_detail("resource_id", id)
    }

    fn adjusted(mut self, adjust: impl FnOnce(&mut AdHoc)) -> Self {
        let error: &mut (dyn Error + 'static) = &mut *self.0;
        if let Some(error) = error.downcast_mut() {
            adjust(error);
        }
        self
    }

    /// The error as `E`, if that is what it was made of.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        let error: &(dyn Error + 'static) = &*self.0;
        error.downcast_ref()
    }

    /// The error as `E`, or itself again.
    ///
    /// # Errors
    ///
    /// If it was not made of an `E`.
    pub fn downcast<E: Error + 'static>(self) -> Result<E, Self> {
        if self.downcast_ref::<E>().is_none() {
            return Err(self);
        }
        let error: Box<dyn Error> = self.0;
        match error.downcast() {
            Ok(error) => Ok(*error),
            // A `Box<dyn Error>` cannot be turned back, hence the check before.
            Err(_) => unreachable!("the type has just been checked"),
        }
    }
}

impl<E: ApiError + Send + Sync + 'static> From<E> for AnyError {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl Deref for AnyError {
    type Target = dyn ApiError + Send + Sync;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

/// For code that takes any error; the answer's facts are not lost, only out of reach.
impl From<AnyError> for Box<dyn Error + Send + Sync> {
    fn from(error: AnyError) -> Self {
        error.0
    }
}

impl AsRef<dyn ApiError + Send + Sync> for AnyError {
    fn as_ref(&self) -> &(dyn ApiError + Send + Sync + 'static) {
        &**self
    }
}

impl Classify for AnyError {
    fn classify(&self) -> Classification {
        (**self).__classification()
    }
}

impl fmt::Display for AnyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl fmt::Debug for AnyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// Every default of it follows the dynamic status; its own code and status are not used.
pub(crate) static AD_HOC: ErrorSpec =
    ErrorSpec::new("app", "INTERNAL_ERROR", StatusCode::INTERNAL_SERVER_ERROR)
        .with_name("AnyError");

/// An error that no enum declares.
#[derive(Debug)]
struct AdHoc {
    status: StatusCode,
    code: Cow<'static, str>,
    message: Cow<'static, str>,
    details: Vec<(Cow<'static, str>, json::Value)>,
    violations: Violations,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl AdHoc {
    fn fault(&self, key: Cow<'static, str>, reason: impl fmt::Display) {
        fault::report(&self.code, FaultPart::Detail(key.into_owned()), reason);
    }
}

impl fmt::Display for AdHoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for AdHoc {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

impl ApiError for AdHoc {
    fn spec(&self) -> &'static ErrorSpec {
        &AD_HOC
    }

    fn __classification(&self) -> Classification {
        let classification = Classification::new(self.is_retryable(), self.breaker_outcome())
            .with_retry_after(self.retry_after());
        match self.code {
            Cow::Borrowed(code) => classification.with_code(code),
            // One that was made at run time is not kept.
            Cow::Owned(_) => classification,
        }
    }

    fn code(&self) -> &str {
        &self.code
    }

    fn message(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.message)
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    fn __status(&self) -> Option<DynamicStatus> {
        Some(DynamicStatus::new(self.status))
    }

    fn __details(&self, out: &mut Details<'_>) {
        out.violations(&self.violations);
        for (key, value) in &self.details {
            // The violations have this key.
            if key != "errors" || self.violations.is_empty() {
                out.field(key, value);
            }
        }
    }
}

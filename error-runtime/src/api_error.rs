//! The trait that a declared error implements, and the catalogue of an enum's declarations.

use std::backtrace::Backtrace;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use crate::field::DynamicStatus;
use crate::render::{insert_headers, insert_retry_after, message_of};
use crate::spec::error_status;
use crate::{Classification, Details, ErrorSpec, GrpcCode, Level, Outcome};

/// An error that knows its answer to a client: status, machine code, public message, details,
/// headers, and whether a retry may help.
///
/// Derive it: `#[derive(ApiError)]`. By hand only [`spec`](Self::spec) is required; everything else
/// follows from the spec unless it is overridden. A hand-written error whose message is not
/// overridden answers with the public text of its status.
///
/// The trait is object-safe: `&dyn ApiError` has every method.
///
/// ```
/// use error_runtime::{ApiError, ErrorSpec, StatusCode};
///
/// #[derive(Debug)]
/// struct Teapot;
///
/// impl std::fmt::Display for Teapot {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("the pot on shelf 3 has no coffee")
///     }
/// }
/// impl std::error::Error for Teapot {}
///
/// impl ApiError for Teapot {
///     fn spec(&self) -> &'static ErrorSpec {
///         static SPEC: ErrorSpec = ErrorSpec::new("kitchen", "TEAPOT", StatusCode::IM_A_TEAPOT);
///         &SPEC
///     }
/// }
/// assert_eq!(Teapot.code(), "TEAPOT");
/// assert_eq!(Teapot.message(), "I'm a teapot"); // not the `Display`
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an `ApiError`",
    label = "`ApiError` is not implemented for `{Self}`",
    note = "add `#[derive(ApiError)]` to `{Self}`, or declare a variant of your own around it: `#[api(status = 500)] Inner(#[from] {Self})`"
)]
pub trait ApiError: Error {
    /// All that is constant about this error.
    fn spec(&self) -> &'static ErrorSpec;

    /// The HTTP status of the answer, always within 400–599.
    fn status(&self) -> StatusCode {
        match self.__inner() {
            Some(inner) => inner.status(),
            None => match self.__status() {
                Some(status) => status.get(),
                None => error_status(self.spec().status),
            },
        }
    }

    /// The machine-readable code.
    fn code(&self) -> &str {
        match self.__inner() {
            Some(inner) => inner.code(),
            None => self.spec().code,
        }
    }

    /// What the client reads. Never the `Display` of a 5xx that was not declared public.
    fn message(&self) -> Cow<'_, str> {
        match self.__inner() {
            Some(inner) => inner.message(),
            None => message_of(self),
        }
    }

    /// Writes the fields that a client may see, straight into the answer.
    fn details(&self, out: &mut Details<'_>) {
        match self.__inner() {
            Some(inner) => inner.details(out),
            None => self.__details(out),
        }
    }

    /// Adds the headers of the answer: declared ones, those taken from fields, `Retry-After`,
    /// and `WWW-Authenticate` on a 401.
    fn headers(&self, out: &mut HeaderMap) {
        match self.__inner() {
            Some(inner) => inner.headers(out),
            None => {
                insert_headers(self.spec(), self.status(), self.code(), out);
                self.__headers(out);
                // Last: the wait may be asked of a field whose type is the application's own.
                insert_retry_after(self.retry_after(), out);
            }
        }
    }

    /// How long a caller should wait before it tries again.
    fn retry_after(&self) -> Option<Duration> {
        match self.__inner() {
            Some(inner) => inner.retry_after(),
            None => self.__retry_after().or(self.spec().retry_after),
        }
    }

    /// Whether a caller may retry.
    fn is_retryable(&self) -> bool {
        match self.__inner() {
            Some(inner) => inner.is_retryable(),
            None => self.spec().retryable_at(self.status()),
        }
    }

    /// The `recoverable` flag of the envelope; [`is_retryable`](Self::is_retryable) unless declared.
    fn is_recoverable(&self) -> bool {
        match self.__inner() {
            Some(inner) => inner.is_recoverable(),
            None => self
                .spec()
                .recoverable
                .unwrap_or_else(|| self.is_retryable()),
        }
    }

    /// How a circuit breaker counts this error.
    fn breaker_outcome(&self) -> Outcome {
        match self.__inner() {
            Some(inner) => inner.breaker_outcome(),
            None => self.spec().outcome_at(self.status()),
        }
    }

    /// How loudly it is logged.
    fn level(&self) -> Level {
        match self.__inner() {
            Some(inner) => inner.level(),
            None => self.spec().level_at(self.status()),
        }
    }

    /// The log it belongs to: `app`, `security`, `performance` or one's own.
    fn category(&self) -> &'static str {
        match self.__inner() {
            Some(inner) => inner.category(),
            None => self.spec().category,
        }
    }

    /// The gRPC status code.
    fn grpc_code(&self) -> GrpcCode {
        match self.__inner() {
            Some(inner) => inner.grpc_code(),
            None => self.spec().grpc_at(self.status()),
        }
    }

    /// Whether an error tracker such as Sentry should get it: 5xx unless declared.
    fn is_reported(&self) -> bool {
        match self.__inner() {
            Some(inner) => inner.is_reported(),
            None => self.spec().reported_at(self.status()),
        }
    }

    /// The backtrace that the error carries in a `#[backtrace]` field; for reporters only.
    fn backtrace(&self) -> Option<&Backtrace> {
        match self.__inner() {
            Some(inner) => inner.backtrace(),
            None => self.__backtrace(),
        }
    }

    // What follows is for generated code. A transparent variant answers in `__inner` alone; every
    // public method above asks there first, so the inner type is named once.

    /// Whether the derive wrote this impl.
    #[doc(hidden)]
    fn __generated(&self) -> bool {
        false
    }

    #[doc(hidden)]
    fn __inner(&self) -> Option<&dyn ApiError> {
        None
    }

    /// The error as handlers can tell its type.
    #[doc(hidden)]
    fn __typed(&self) -> Option<&(dyn Error + 'static)> {
        None
    }

    #[doc(hidden)]
    fn __status(&self) -> Option<DynamicStatus> {
        None
    }

    /// The message of a variant whose `message` and `display` differ.
    #[doc(hidden)]
    fn __message(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }

    #[doc(hidden)]
    fn __details(&self, _: &mut Details<'_>) {}

    #[doc(hidden)]
    fn __headers(&self, _: &mut HeaderMap) {}

    #[doc(hidden)]
    fn __retry_after(&self) -> Option<Duration> {
        None
    }

    #[doc(hidden)]
    fn __backtrace(&self) -> Option<&Backtrace> {
        None
    }

    #[doc(hidden)]
    fn __classification(&self) -> Classification {
        match self.__inner() {
            Some(inner) => inner.__classification(),
            None => Classification::new(self.is_retryable(), self.breaker_outcome())
                .with_retry_after(self.retry_after())
                .with_code(self.spec().code),
        }
    }
}

/// The innermost error behind transparent variants: the one that declares.
pub(crate) fn innermost(mut error: &dyn ApiError) -> &dyn ApiError {
    while let Some(inner) = error.__inner() {
        error = inner;
    }
    error
}

/// The declarations of one error type, in the order of its variants.
///
/// A transparent variant adds none of its own.
pub trait Catalog {
    /// One spec per declared variant.
    const SPECS: &'static [ErrorSpec];
}

#[diagnostic::do_not_recommend]
impl<E: crate::__private::Declared> Catalog for E {
    const SPECS: &'static [ErrorSpec] = E::SPECS;
}

/// A pointer to an error answers as the error.
macro_rules! delegate {
    ($([$($generics:tt)*] $pointer:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> ApiError for $pointer {
            fn spec(&self) -> &'static ErrorSpec {
                (**self).spec()
            }
            fn __inner(&self) -> Option<&dyn ApiError> {
                Some(&**self)
            }
        }
    )*};
}

delegate! {
    [E: ApiError] Box<E>;
    [E: ApiError] Arc<E>;
    [] Arc<dyn ApiError>;
    [] Arc<dyn ApiError + Send + Sync>;
    ['e, E: ApiError] &'e E;
    ['e] &'e dyn ApiError;
    ['e] &'e (dyn ApiError + Send + Sync);
}

//! All that generated code may name of this crate. No promise is made for any of it.

use std::error::Error;
use std::fmt;

use crate::public_message;

pub use crate::api_error::ApiError;
pub use crate::details::{DetailValue, Details, ViolationsField};
pub use crate::field::{BacktraceField, DynamicStatus};
pub use crate::spec::{GrpcCode, Level, MessageSource, Row, specs};
pub use crate::{__impl_responses as impl_responses, __register as register};
pub use crate::{ErrorSpec, HeaderField, HeaderMap, Outcome, RetryAfterField, StatusField};

#[cfg(feature = "actix")]
pub use crate::adapter::actix;
#[cfg(feature = "axum")]
pub use crate::adapter::axum;
#[cfg(feature = "catalog")]
pub use crate::catalog::Registration;
#[cfg(feature = "catalog")]
pub use inventory;

// What the attributes of the policies call.
pub use crate::bulkhead::Bulkhead;
pub use crate::circuit_breaker::{BreakerSite, CircuitBreaker};
pub use crate::policy::site::{
    Hint, ViaClassify, ViaNothing, caught, caught_when, fn_mut, fn_once, never, says,
};
pub use crate::rate_limit::RateLimiter;
pub use crate::retry::{Jitter, Retry, RetryPolicy, RetrySite, Wait};
pub use crate::timeout::with_timeout;

/// A derived error: its specs, and which of them an occurrence has.
pub trait Declared {
    /// One per variant that is not transparent.
    const SPECS: &'static [ErrorSpec];

    /// The index of this occurrence; not asked of a transparent variant.
    fn spec_index(&self) -> usize;
}

/// The spec of a derived error.
pub fn spec<E: Declared + ApiError + ?Sized>(error: &E) -> &'static ErrorSpec {
    match error.__inner() {
        Some(inner) => inner.spec(),
        None => &E::SPECS[error.spec_index()],
    }
}

/// A derived error as handlers can tell its type. As a function, whose bound says once what is missing.
pub fn typed<E: ApiError + 'static>(error: &E) -> Option<&(dyn Error + 'static)> {
    Some(error)
}

/// `Display` of the variants whose text is constant.
///
/// # Errors
///
/// As the formatter does.
pub fn fmt_text<E: Declared + ?Sized>(error: &E, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let spec = &E::SPECS[error.spec_index()];
    f.write_str(match (spec.display, spec.message) {
        (Some(text), _) | (None, MessageSource::Text(text)) => text,
        _ => public_message(spec.status),
    })
}

/// `Display` of a variant with a dynamic status and no text of its own.
///
/// # Errors
///
/// As the formatter does.
pub fn fmt_status(status: DynamicStatus, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(public_message(status.get()))
}

/// The status of a field.
pub fn dynamic_status<S: StatusField + ?Sized>(status: &S) -> DynamicStatus {
    DynamicStatus::new(
        status
            .to_status()
            .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR),
    )
}

/// The wait of a field.
pub fn retry_after<R: RetryAfterField + ?Sized>(wait: &R) -> Option<std::time::Duration> {
    wait.to_retry_after()
}

/// The header of a field.
pub fn header<E, T>(error: &E, name: &'static str, value: &T, out: &mut HeaderMap)
where
    E: ApiError + ?Sized,
    T: HeaderField + ?Sized,
{
    crate::render::insert_field_header(error.code(), name, value, out);
}

/// The default domain: the name of the crate, where cargo builds it.
pub const fn domain(package: Option<&'static str>) -> &'static str {
    match package {
        Some(package) => package,
        None => "app",
    }
}

/// A source as `dyn Error`, called as a method: autoderef then also finds the error inside a
/// `Box<dyn Error + Send + Sync>`, which is itself no `Error`.
pub trait AsDynError {
    /// The source.
    fn __as_dyn_error(&self) -> &(dyn Error + 'static);
}

impl<E: Error + 'static> AsDynError for E {
    fn __as_dyn_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

macro_rules! as_dyn_error {
    ($($ty:ty),*) => {$(
        impl AsDynError for $ty {
            fn __as_dyn_error(&self) -> &(dyn Error + 'static) {
                self
            }
        }
    )*};
}
as_dyn_error!(
    dyn Error + 'static,
    dyn Error + Send + 'static,
    dyn Error + Send + Sync + 'static,
    dyn ApiError + 'static,
    dyn ApiError + Send + Sync + 'static
);

// Which responses a derived error gets depends on this crate's features, so generated code asks a
// macro of this crate, with the generics, the type and the where clause in brackets.

/// Implements the responses of the features that are on.
#[doc(hidden)]
#[macro_export]
macro_rules! __impl_responses {
    ([$($generics:tt)*] [$ty:ty] [$($bounds:tt)*]) => {
        $crate::__impl_axum! { [$($generics)*] [$ty] [$($bounds)*] }
        $crate::__impl_actix! { [$($generics)*] [$ty] [$($bounds)*] }
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(feature = "axum")]
macro_rules! __impl_axum {
    ([$($generics:tt)*] [$ty:ty] [$($bounds:tt)*]) => {
        #[automatically_derived]
        impl $($generics)* $crate::__private::axum::IntoResponse for $ty where $($bounds)* {
            fn into_response(self) -> $crate::__private::axum::Response {
                $crate::__private::axum::respond(&self)
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "axum"))]
macro_rules! __impl_axum {
    ($($unused:tt)*) => {};
}

#[doc(hidden)]
#[macro_export]
#[cfg(feature = "actix")]
macro_rules! __impl_actix {
    ([$($generics:tt)*] [$ty:ty] [$($bounds:tt)*]) => {
        #[automatically_derived]
        impl $($generics)* $crate::__private::actix::ResponseError for $ty where $($bounds)* {
            fn status_code(&self) -> $crate::__private::actix::StatusCode {
                $crate::__private::actix::status(self)
            }
            fn error_response(&self) -> $crate::__private::actix::HttpResponse {
                $crate::__private::actix::respond(self)
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "actix"))]
macro_rules! __impl_actix {
    ($($unused:tt)*) => {};
}

/// Registers the specs of a derived error under the feature `catalog`.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "catalog")]
macro_rules! __register {
    ($specs:expr) => {
        $crate::__private::inventory::submit! {
            $crate::__private::Registration::new(::core::module_path!(), &$specs)
        }
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "catalog"))]
macro_rules! __register {
    ($specs:expr) => {};
}

//! What a field with a role must be able to do: give a status, a wait, a header value or a backtrace.

use std::backtrace::Backtrace;
use std::borrow::Cow;
use std::time::Duration;

use http::header::InvalidHeaderValue;
use http::{HeaderValue, StatusCode};

use crate::spec::error_status;

/// A status taken from a field, already within 400–599.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct DynamicStatus(StatusCode);

impl DynamicStatus {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self(error_status(status))
    }

    pub(crate) fn get(self) -> StatusCode {
        self.0
    }
}

/// The type of a field marked `#[api(status)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot give the status of a response",
    label = "a field marked `#[api(status)]` is a `StatusCode` or a `u16`"
)]
pub trait StatusField {
    /// The status, `None` where the number is none.
    fn to_status(&self) -> Option<StatusCode>;
}

impl StatusField for StatusCode {
    fn to_status(&self) -> Option<StatusCode> {
        Some(*self)
    }
}

impl StatusField for u16 {
    fn to_status(&self) -> Option<StatusCode> {
        StatusCode::from_u16(*self).ok()
    }
}

/// The type of a field marked `#[api(retry_after)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot say how long to wait",
    label = "a field marked `#[api(retry_after)]` is a `Duration` or an `Option<Duration>`"
)]
pub trait RetryAfterField {
    /// The wait; `None` falls back to the declared one.
    fn to_retry_after(&self) -> Option<Duration>;
}

impl RetryAfterField for Duration {
    fn to_retry_after(&self) -> Option<Duration> {
        Some(*self)
    }
}

impl RetryAfterField for Option<Duration> {
    fn to_retry_after(&self) -> Option<Duration> {
        *self
    }
}

/// The type of a field marked `#[api(header = "…")]`.
///
/// Implemented for strings, numbers, `bool`, `HeaderValue`, and references, boxes and options of
/// those; `None` sends no header. A value with control characters is not sent; that is reported as
/// a [`RenderFault`](crate::RenderFault).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as a header",
    label = "a field marked `#[api(header = \"…\")]` is a string, a number, a `HeaderValue` or an `Option` of these",
    note = "for a type of your own implement `error_runtime::HeaderField`"
)]
pub trait HeaderField {
    /// The value to send, `None` for no header.
    fn to_header(&self) -> Option<Result<HeaderValue, InvalidHeaderValue>>;
}

/// The value of a header that carries this text.
fn text(value: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    HeaderValue::from_str(value)
}

macro_rules! header_text {
    ($($ty:ty),*) => {$(
        impl HeaderField for $ty {
            fn to_header(&self) -> Option<Result<HeaderValue, InvalidHeaderValue>> {
                Some(text(self))
            }
        }
    )*};
}
header_text!(str, String, Cow<'_, str>);

macro_rules! header_display {
    ($($ty:ty),*) => {$(
        impl HeaderField for $ty {
            fn to_header(&self) -> Option<Result<HeaderValue, InvalidHeaderValue>> {
                Some(text(&self.to_string()))
            }
        }
    )*};
}
header_display!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, bool, char
);

impl HeaderField for HeaderValue {
    fn to_header(&self) -> Option<Result<HeaderValue, InvalidHeaderValue>> {
        Some(Ok(self.clone()))
    }
}

impl<T: HeaderField> HeaderField for Option<T> {
    fn to_header(&self) -> Option<Result<HeaderValue, InvalidHeaderValue>> {
        self.as_ref()?.to_header()
    }
}

impl<T: HeaderField + ?Sized> HeaderField for &T {
    fn to_header(&self) -> Option<Result<HeaderValue, InvalidHeaderValue>> {
        (**self).to_header()
    }
}

impl<T: HeaderField + ?Sized> HeaderField for Box<T> {
    fn to_header(&self) -> Option<Result<HeaderValue, InvalidHeaderValue>> {
        (**self).to_header()
    }
}

impl<T: HeaderField + ?Sized> HeaderField for std::sync::Arc<T> {
    fn to_header(&self) -> Option<Result<HeaderValue, InvalidHeaderValue>> {
        (**self).to_header()
    }
}

/// The type of a `#[backtrace]` field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a backtrace",
    label = "a field marked `#[backtrace]` is a `std::backtrace::Backtrace` or an `Option` of one"
)]
pub trait BacktraceField {
    /// The backtrace, if there is one.
    fn get(&self) -> Option<&Backtrace>;
}

impl BacktraceField for Backtrace {
    fn get(&self) -> Option<&Backtrace> {
        Some(self)
    }
}

impl BacktraceField for Option<Backtrace> {
    fn get(&self) -> Option<&Backtrace> {
        self.as_ref()
    }
}

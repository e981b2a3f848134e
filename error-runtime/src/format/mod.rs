//! The shapes that an answer's body can have.
//!
//! [`JsonEnvelope`] is the default; [`ProblemJson`] is RFC 9457; [`HtmlPage`] is for browsers. One's
//! own implements [`Format`].

pub(crate) mod envelope;
mod html;
mod problem;
mod view;

pub use envelope::JsonEnvelope;
pub use html::{HtmlPage, escape_html};
pub use problem::ProblemJson;
pub use view::{ErrorView, Internals};

use http::HeaderValue;

/// Turns an error into the body of a response.
///
/// ```
/// use error_runtime::format::{ErrorView, Format};
/// use error_runtime::{AnyError, HeaderMap};
///
/// struct PlainText;
///
/// impl Format for PlainText {
///     fn content_type(&self) -> http::HeaderValue {
///         http::HeaderValue::from_static("text/plain; charset=utf-8")
///     }
///     fn write(&self, view: &ErrorView<'_>, out: &mut Vec<u8>) {
///         out.extend_from_slice(format!("{} {}", view.code(), view.message()).as_bytes());
///     }
/// }
///
/// let response = error_runtime::http_response_with(&*AnyError::not_found("job"), &PlainText);
/// assert_eq!(response.body(), b"NOT_FOUND job not found");
/// ```
pub trait Format: Send + Sync {
    /// The `Content-Type` of what [`write`](Self::write) writes.
    fn content_type(&self) -> HeaderValue;

    /// Appends the body. Only what the view gives may go into it: all of it is declared public.
    fn write(&self, view: &ErrorView<'_>, out: &mut Vec<u8>);
}

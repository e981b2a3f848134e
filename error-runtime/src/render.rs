//! From an error to a response: the message, the headers, the body.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::{self, Write};
use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::fault::{self, FaultPart};
use crate::format::{ErrorView, Format, JsonEnvelope};
use crate::spec::MessageSource;
use crate::time::Timestamp;
use crate::{ApiError, ErrorSpec, HeaderField, RequestContext, public_message};

/// The answer to `error` in the default format, for the request of the current [`RequestContext`].
///
/// For servers that have no adapter here: the body is complete, the headers too, but for
/// `Content-Length`.
///
/// ```
/// let response = error_runtime::http_response(&*error_runtime::AnyError::forbidden());
/// assert_eq!(response.status(), 403);
/// assert_eq!(response.headers()["content-type"], "application/json");
/// ```
pub fn http_response(error: &dyn ApiError) -> Response<Vec<u8>> {
    http_response_with(error, &JsonEnvelope)
}

/// The answer to `error` in the given format, for the request of the current [`RequestContext`].
pub fn http_response_with<F: Format + ?Sized>(
    error: &dyn ApiError,
    format: &F,
) -> Response<Vec<u8>> {
    let context = RequestContext::current();
    let view = ErrorView::new(error, context.as_ref(), Timestamp::now());
    let body = with_scratch(|out| format.write(&view, out));

    // One slot is what most answers need; the map of the default capacity takes 600 bytes.
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(CONTENT_TYPE, format.content_type());
    if let Err(panic) = fault::guarded(|| error.headers(&mut headers)) {
        view.fault(FaultPart::Headers, panic);
    }

    let mut response = Response::new(body);
    *response.status_mut() = view.status();
    *response.headers_mut() = headers;
    response
}

/// A body is written into a buffer that its thread keeps, then copied once into one of just its
/// length: no reallocation while it grows, no spare capacity that travels with the response.
fn with_scratch(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    /// A buffer that one huge answer has grown is given back.
    const KEEP: usize = 16 * 1024;
    thread_local! {
        static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    }

    // Taken, not borrowed: a `Display` may render another error meanwhile.
    let mut scratch = SCRATCH.try_with(Cell::take).unwrap_or_default();
    scratch.clear();
    scratch.reserve(512);
    write(&mut scratch);
    let body = scratch.as_slice().to_vec();
    if scratch.capacity() <= KEEP {
        let _ = SCRATCH.try_with(|kept| kept.set(scratch));
    }
    body
}

/// Writes the public message of an error that is not transparent.
pub(crate) fn write_message(
    error: &dyn ApiError,
    spec: &ErrorSpec,
    status: StatusCode,
    out: &mut dyn Write,
) -> fmt::Result {
    match spec.message {
        MessageSource::Method => out.write_str(&error.message()),
        MessageSource::Text(text) => out.write_str(text),
        MessageSource::Format(_) => write!(out, "{}", Formatted(error)),
        MessageSource::Display(_) => write!(out, "{error}"),
        MessageSource::DisplayBelow500 if status.as_u16() < 500 => write!(out, "{error}"),
        MessageSource::Status | MessageSource::DisplayBelow500 => {
            out.write_str(public_message(status))
        }
    }
}

/// The default of `ApiError::message`.
pub(crate) fn message_of<E: ApiError + ?Sized>(error: &E) -> Cow<'static, str> {
    let status = error.status();
    let mut text = String::new();
    let written = match error.spec().message {
        MessageSource::Text(text) => return Cow::Borrowed(text),
        MessageSource::Format(_) => write!(text, "{}", Formatted(error)),
        MessageSource::Display(_) => write!(text, "{error}"),
        MessageSource::DisplayBelow500 if status.as_u16() < 500 => write!(text, "{error}"),
        MessageSource::Method | MessageSource::Status | MessageSource::DisplayBelow500 => {
            Err(fmt::Error)
        }
    };
    match written {
        Ok(()) => Cow::Owned(text),
        Err(fmt::Error) => Cow::Borrowed(public_message(status)),
    }
}

/// Displays the generated message of a variant whose `display` is another text.
struct Formatted<'a, E: ApiError + ?Sized>(&'a E);

impl<E: ApiError + ?Sized> fmt::Display for Formatted<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.__message(f)
    }
}

/// Adds the headers that follow from the declaration.
pub(crate) fn insert_headers(
    spec: &ErrorSpec,
    status: StatusCode,
    retry_after: Option<Duration>,
    code: &str,
    out: &mut HeaderMap,
) {
    for (name, value) in spec.headers {
        match (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            (Ok(name), Ok(value)) => _ = out.append(name, value),
            // The derive checks both; this is a spec written by hand.
            _ => fault::report(
                code,
                FaultPart::Header((*name).to_owned()),
                "not a valid header",
            ),
        }
    }
    // RFC 9110 §15.5.2: a 401 carries a challenge.
    let challenge = spec
        .authenticate
        .or((status == StatusCode::UNAUTHORIZED).then_some("Bearer"));
    if let Some(challenge) = challenge {
        match HeaderValue::from_str(challenge) {
            Ok(challenge) => _ = out.append(WWW_AUTHENTICATE, challenge),
            Err(error) => fault::report(
                code,
                FaultPart::Header("www-authenticate".to_owned()),
                error,
            ),
        }
    }
    if let Some(wait) = retry_after {
        out.insert(RETRY_AFTER, HeaderValue::from(seconds_rounded_up(wait)));
    }
}

/// Adds a header whose value comes from a field of the error.
pub(crate) fn insert_field_header<T: HeaderField + ?Sized>(
    code: &str,
    name: &'static str,
    value: &T,
    out: &mut HeaderMap,
) {
    match value.to_header() {
        None => {}
        Some(Ok(value)) => _ = out.append(HeaderName::from_static(name), value),
        Some(Err(error)) => fault::report(code, FaultPart::Header(name.to_owned()), error),
    }
}

/// `Retry-After` has whole seconds; sooner than asked would be too soon.
fn seconds_rounded_up(wait: Duration) -> u64 {
    wait.as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0))
}

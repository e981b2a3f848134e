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
    let mut response = Response::new(Vec::new());
    let Rendered {
        status,
        body,
        content_type,
    } = render_here(error, format, response.headers_mut());
    let content_type = content_type.unwrap_or_else(|| {
        fault::guarded(|| format.content_type()).unwrap_or_else(|_| JsonEnvelope.content_type())
    });
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    *response.status_mut() = status;
    *response.body_mut() = body;
    response
}

/// An answer but for its headers, which go where they are to stay: a header map is large, and moving
/// it costs more than filling it.
pub(crate) struct Rendered {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
    /// Of the body, if it is not the format's own.
    pub(crate) content_type: Option<HeaderValue>,
}

impl Rendered {
    fn new() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            body: Vec::new(),
            content_type: None,
        }
    }
}

/// For the request that this thread runs for.
pub(crate) fn render_here<F: Format + ?Sized>(
    error: &dyn ApiError,
    format: &F,
    headers: &mut HeaderMap,
) -> Rendered {
    let mut rendered = Rendered::new();
    // Through a reference: what is returned through closures is copied at each of them.
    RequestContext::with_current(|context| {
        render_into(&mut rendered, error, format, context, headers);
    });
    rendered
}

/// For a request.
#[cfg(any(feature = "actix", feature = "tower"))]
pub(crate) fn render<F: Format + ?Sized>(
    error: &dyn ApiError,
    format: &F,
    context: &RequestContext,
    headers: &mut HeaderMap,
) -> Rendered {
    let mut rendered = Rendered::new();
    render_into(&mut rendered, error, format, Some(context), headers);
    rendered
}

#[inline]
fn render_into<F: Format + ?Sized>(
    rendered: &mut Rendered,
    error: &dyn ApiError,
    format: &F,
    context: Option<&RequestContext>,
    headers: &mut HeaderMap,
) {
    let timestamp = Timestamp::now();
    let done = fault::attempt(|| {
        let view = ErrorView::unguarded(error, context, timestamp);
        rendered.status = view.status();
        rendered.body = with_scratch(|out| format.write(&view, out));
        error.headers(headers);
    });
    if !done {
        headers.clear();
        render_carefully(error, format, headers, context, timestamp, rendered);
    }
    // RFC 9110 §15.5.2; an error written by hand may have forgotten it.
    if rendered.status == StatusCode::UNAUTHORIZED && !headers.contains_key(WWW_AUTHENTICATE) {
        headers.insert(
            WWW_AUTHENTICATE,
            const { HeaderValue::from_static("Bearer") },
        );
    }
}

/// The same when something has panicked: part by part, leaving out what panics again.
#[cold]
fn render_carefully<F: Format + ?Sized>(
    error: &dyn ApiError,
    format: &F,
    headers: &mut HeaderMap,
    context: Option<&RequestContext>,
    timestamp: Timestamp,
    rendered: &mut Rendered,
) {
    let view = match fault::guarded(|| ErrorView::new(error, context, timestamp)) {
        Ok(view) => view,
        Err(panic) => {
            fault::report(Unanswerable.code(), FaultPart::Error, panic);
            ErrorView::new(&Unanswerable, context, timestamp)
        }
    };
    rendered.status = view.status();
    rendered.body.clear();
    let written = fault::guarded(|| {
        format.write(&view, &mut rendered.body);
        rendered.content_type = Some(format.content_type());
    });
    if let Err(panic) = written {
        view.fault(FaultPart::Body, panic);
        rendered.body.clear();
        JsonEnvelope.write(&view, &mut rendered.body);
        rendered.content_type = Some(JsonEnvelope.content_type());
    }
    if let Err(panic) = fault::guarded(|| error.headers(headers)) {
        view.fault(FaultPart::Headers, panic);
    }
}

/// Stands in for an error that panics when it is asked what it is.
#[derive(Debug)]
pub(crate) struct Unanswerable;

impl fmt::Display for Unanswerable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error that cannot be asked")
    }
}

impl std::error::Error for Unanswerable {}

impl ApiError for Unanswerable {
    fn spec(&self) -> &'static ErrorSpec {
        static SPEC: ErrorSpec = ErrorSpec::new(
            "error-runtime",
            "INTERNAL_ERROR",
            StatusCode::INTERNAL_SERVER_ERROR,
        );
        &SPEC
    }
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
    // A spec may be lent to an error written by hand; what it says of generated code is not so there.
    if !error.__generated() {
        return out.write_str(&error.message());
    }
    match spec.message {
        MessageSource::Text(text) => out.write_str(text),
        MessageSource::Display(_) => write!(out, "{error}"),
        MessageSource::Format(_) => write!(out, "{}", Formatted(error)),
        // A source may be inside what `Display` says.
        MessageSource::DisplayBelow500 if status.as_u16() < 500 && error.source().is_none() => {
            write!(out, "{error}")
        }
        _ => out.write_str(public_message(status)),
    }
}

/// The default of `ApiError::message`.
pub(crate) fn message_of<E: ApiError + ?Sized>(error: &E) -> Cow<'static, str> {
    let (spec, status) = (error.spec(), error.status());
    let mut text = String::new();
    let written = match spec.message {
        _ if !error.__generated() => {
            let declared = match spec.message {
                MessageSource::Status => spec.message_template,
                _ => None,
            };
            return Cow::Borrowed(declared.unwrap_or_else(|| public_message(status)));
        }
        MessageSource::Text(text) => return Cow::Borrowed(text),
        MessageSource::Display(_) => write!(text, "{error}"),
        MessageSource::Format(_) => write!(text, "{}", Formatted(error)),
        MessageSource::DisplayBelow500 if status.as_u16() < 500 && error.source().is_none() => {
            write!(text, "{error}")
        }
        MessageSource::Status | MessageSource::DisplayBelow500 => Err(fmt::Error),
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

/// Adds the headers that are declared, and the challenge of a 401 (RFC 9110 §15.5.2).
pub(crate) fn insert_headers(
    spec: &ErrorSpec,
    status: StatusCode,
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
    let challenge = spec
        .authenticate
        .or((status == StatusCode::UNAUTHORIZED).then_some("Bearer"));
    if let Some(challenge) = challenge {
        match HeaderValue::from_str(challenge) {
            Ok(challenge) => _ = out.append(WWW_AUTHENTICATE, challenge),
            Err(error) => {
                fault::report(code, FaultPart::Header(WWW_AUTHENTICATE.to_string()), error);
            }
        }
    }
}

/// Adds `Retry-After`.
pub(crate) fn insert_retry_after(wait: Option<Duration>, out: &mut HeaderMap) {
    if let Some(wait) = wait {
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
    // Guarded on its own: the other headers are not to be lost with it.
    let reason = match fault::guarded(|| value.to_header()) {
        Ok(None) => return,
        Ok(Some(Ok(value))) => {
            out.append(HeaderName::from_static(name), value);
            return;
        }
        Ok(Some(Err(error))) => error.to_string(),
        Err(panic) => panic,
    };
    fault::report(code, FaultPart::Header(name.to_owned()), reason);
}

/// `Retry-After` has whole seconds; sooner than asked would be too soon.
fn seconds_rounded_up(wait: Duration) -> u64 {
    wait.as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0))
}

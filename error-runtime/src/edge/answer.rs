//! From a failure to the answer of this request, and what reporters are told of it.

#[cfg(any(feature = "axum", feature = "actix"))]
use std::error::Error;
use std::sync::Arc;

use http::header::{CACHE_CONTROL, VARY, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::Node;
use super::map::Subject;
use super::stand_in::Framework;
use crate::render::{Rendered, render};
use crate::report::Failure;
use crate::{ApiError, ErrorEvent, FanOut, Origin, RequestContext, fault};

/// An answer but for its headers, which go where they are to stay.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
    pub(crate) content_type: HeaderValue,
    /// To be kept with the response.
    pub(crate) record: Record,
    /// A handler has put another error in the place of the failure.
    pub(crate) is_mapped: bool,
}

/// The longest text of a framework that is sent on or logged.
pub(crate) const MAX_FRAMEWORK_TEXT: usize = 1024;

/// Whether a `Content-Type` is that of a framework's own failures.
pub(crate) fn is_plain_text(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next();
    essence.is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(b"text/plain"))
}

/// What goes with a response that an edge has rendered, for the edges around it.
#[derive(Clone)]
pub(crate) struct Record {
    /// Nothing if nobody wants to know.
    pub(crate) event: Option<Arc<ErrorEvent>>,
    /// The innermost edge: its reporters are told too.
    pub(crate) edge: Arc<Node>,
}

/// Whether this thread runs for a request that is behind an edge.
#[cfg(any(feature = "axum", feature = "actix"))]
#[inline]
pub(crate) fn is_here() -> bool {
    RequestContext::with_current(|context| context.is_some_and(|context| context.edge().is_some()))
}

/// The answer to an error at the edge that this code is behind; nothing where there is none.
#[cfg(any(feature = "axum", feature = "actix"))]
#[inline(never)]
pub(crate) fn answer_here(
    error: &dyn ApiError,
    typed: Option<&(dyn Error + 'static)>,
    headers: &mut HeaderMap,
) -> Option<Answer> {
    RequestContext::with_current(|context| {
        let context = context?;
        let subject = Subject { error, typed };
        Some(answer_at(
            context.edge()?,
            subject,
            Origin::Declared,
            context,
            headers,
        ))
    })
}

/// The answer at an edge: mapped, in the format that the request wants, with what reporters are told.
pub(crate) fn answer_at(
    edge: &Arc<Node>,
    subject: Subject<'_>,
    origin: Origin,
    context: &RequestContext,
    headers: &mut HeaderMap,
) -> Answer {
    let mapped = edge.map(subject, Some(context));
    let error: &dyn ApiError = match &mapped {
        Some(mapped) => &**mapped,
        None => subject.error,
    };
    let format = edge.choose(context);
    let Rendered {
        status,
        body,
        content_type,
    } = render(error, &format, context, headers);
    if edge.negotiates() {
        vary(headers);
    }
    // A cache may keep some failures unasked (RFC 9111 §4.2.2), with the id of another's request.
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(
            CACHE_CONTROL,
            const { HeaderValue::from_static("no-store") },
        );
    }
    let event = wanted(edge, error).then(|| {
        let mut event = ErrorEvent::of(error, origin, None);
        if mapped.is_some() {
            event.came_from(subject.error, error);
        }
        Arc::new(event)
    });
    Answer {
        status,
        body,
        content_type: content_type.unwrap_or_else(|| format.content_type.clone()),
        record: Record {
            event,
            edge: Arc::clone(edge),
        },
        is_mapped: mapped.is_some(),
    }
}

/// Whether any reporter of these edges wants the failure.
pub(crate) fn wanted(edge: &Node, error: &dyn ApiError) -> bool {
    if !edge.reporters().any(FanOut::is_on) {
        return false;
    }
    fault::guarded(|| {
        let failure = Failure::of(error);
        edge.reporters().any(|reporters| reporters.wanted(&failure))
    })
    .unwrap_or(true)
}

/// Says that another `Accept` would have got another body.
fn vary(headers: &mut HeaderMap) {
    let says_so = |value: &HeaderValue| {
        let mut names = value.as_bytes().split(|byte| *byte == b',');
        names.any(|name| {
            let name = name.trim_ascii();
            name == b"*" || name.eq_ignore_ascii_case(b"accept")
        })
    };
    if !headers.contains_key(VARY) || !headers.get_all(VARY).iter().any(says_so) {
        headers.append(VARY, const { HeaderValue::from_static("Accept") });
    }
}

/// Adds the headers of an answer to those that a response of the framework's has already. What the
/// framework has said of caches and challenges stays, unless a handler has put an error in its place.
pub(crate) fn merge(headers: &mut HeaderMap, of_answer: &HeaderMap, is_mapped: bool) {
    let has = |name| headers.contains_key(name);
    let (is_cached, is_challenged) = (has(CACHE_CONTROL), has(WWW_AUTHENTICATE));
    for name in of_answer.keys().filter(|name| *name == WWW_AUTHENTICATE) {
        if is_mapped {
            headers.remove(name);
        }
    }
    for (name, value) in of_answer {
        if name == VARY {
            if value.as_bytes().eq_ignore_ascii_case(b"accept") {
                vary(headers);
            } else {
                headers.append(name, value.clone());
            }
        } else if name == CACHE_CONTROL && is_cached {
            // The framework has said how long.
        } else if name == WWW_AUTHENTICATE {
            if is_mapped || !is_challenged {
                headers.append(name, value.clone());
            }
        } else {
            headers.insert(name, value.clone());
        }
    }
}

/// Reports the failure that goes out at the outermost edge.
pub(crate) fn report_record(
    outermost: &Node,
    record: Option<Record>,
    status: StatusCode,
    context: &RequestContext,
) {
    match record {
        Some(Record { event, edge }) => {
            if let Some(event) = event {
                report(&edge, event, status, context);
            }
        }
        None => {
            if let Some(event) = by_hand(outermost, status) {
                report(outermost, event, status, context);
            }
        }
    }
}

/// The event of a failure that the application answered by hand: its status is all that is known.
fn by_hand(edge: &Node, status: StatusCode) -> Option<Arc<ErrorEvent>> {
    let error = Framework {
        status,
        text: None,
        sends_text: false,
    };
    wanted(edge, &error).then(|| {
        let mut event = ErrorEvent::of(&error, Origin::Response, None);
        // What the client has got is not known.
        event.message.clear();
        Arc::new(event)
    })
}

/// Tells the reporters of the innermost edge that knows of a failure, and of those around it, each once. The
/// status is the one that the client gets.
pub(crate) fn report(
    edge: &Node,
    mut event: Arc<ErrorEvent>,
    status: StatusCode,
    context: &RequestContext,
) {
    let complete = Arc::make_mut(&mut event);
    complete.status = status;
    complete.complete(context);
    FanOut::deliver_to_all(edge.reporters(), &event);
}

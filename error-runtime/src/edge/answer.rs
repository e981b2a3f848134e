//! From a failure to the answer of this request, and what reporters are told of it.

use std::cell::Cell;
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

/// What goes with a response that is a failure, for the edges around.
#[derive(Clone)]
pub(crate) struct Record {
    /// Nothing if nobody wants to know, or all have been told.
    event: Option<Arc<ErrorEvent>>,
    /// The innermost edge: its reporters are told too.
    edge: Arc<Node>,
    /// An edge has rendered the body.
    #[cfg(feature = "tower")]
    pub(crate) is_answer: bool,
}

impl Record {
    /// Tells the reporters of the innermost edge and of those around it, each once. The status is the one that
    /// the client gets. True if there was anything to tell, which is not to be told again.
    pub(crate) fn report(mut self, status: StatusCode, context: &RequestContext) -> (Self, bool) {
        let event = self.event.take();
        let is_told = event.is_some();
        if let Some(event) = event {
            report(&self.edge, event, status, context);
        }
        (self, is_told)
    }
}

/// The headers that say something of a body, and go with it.
pub(crate) fn gone_with_a_body(status: StatusCode) -> impl Iterator<Item = &'static str> {
    const GONE: [&str; 14] = [
        "accept-ranges",
        "content-digest",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-md5",
        "content-type",
        "digest",
        "etag",
        "last-modified",
        "repr-digest",
        "trailer",
        "transfer-encoding",
    ];
    // RFC 9110 §15.5.17 wants it in a 416, for what was asked for.
    let range = (status != StatusCode::RANGE_NOT_SATISFIABLE).then_some("content-range");
    GONE.into_iter().chain(range)
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
    // What a handler or a page renders itself is not handled again, or it might never end.
    let answering = Answering::begin();
    let mapped = match answering {
        Some(_) => edge.map(subject, Some(context)),
        None => None,
    };
    let error: &dyn ApiError = match &mapped {
        Some(mapped) => &**mapped,
        None => subject.error,
    };
    let format = match answering {
        Some(_) => edge.choose(context),
        None => Node::plain(),
    };
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
        let mut event = ErrorEvent::of(error, origin, Some(context));
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
            #[cfg(feature = "tower")]
            is_answer: true,
        },
        is_mapped: mapped.is_some(),
    }
}

/// While it lives this thread makes an answer.
struct Answering;

thread_local! {
    static ANSWERING: Cell<bool> = const { Cell::new(false) };
}

impl Answering {
    /// Nothing if it does already.
    fn begin() -> Option<Self> {
        (!ANSWERING.replace(true)).then(|| Self)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        ANSWERING.set(false);
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
    for name in of_answer.keys() {
        let stays = match *name {
            VARY => {
                for value in of_answer.get_all(name) {
                    if value.as_bytes().eq_ignore_ascii_case(b"accept") {
                        vary(headers);
                    } else {
                        headers.append(name, value.clone());
                    }
                }
                true
            }
            CACHE_CONTROL => headers.contains_key(name),
            WWW_AUTHENTICATE => headers.contains_key(name) && !is_mapped,
            _ => false,
        };
        if !stays {
            headers.remove(name);
            for value in of_answer.get_all(name) {
                headers.append(name, value.clone());
            }
        }
    }
}

/// The record of a failure that the application answered by hand: its status is all that is known.
pub(crate) fn by_hand(edge: &Arc<Node>, status: StatusCode, context: &RequestContext) -> Record {
    let error = Framework {
        status,
        text: None,
        sends_text: false,
    };
    let event = wanted(edge, &error).then(|| {
        let mut event = ErrorEvent::of(&error, Origin::Response, Some(context));
        // What the client has got is not known.
        event.message.clear();
        Arc::new(event)
    });
    Record {
        event,
        edge: Arc::clone(edge),
        #[cfg(feature = "tower")]
        is_answer: false,
    }
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

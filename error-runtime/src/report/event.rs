//! One failure, with all that reporters may want to know of it.

use std::backtrace::BacktraceStatus;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use http::{Method, StatusCode};

use super::{Failure, fingerprint};
use crate::any_error::AD_HOC;
use crate::api_error::innermost;
use crate::context::Trail;
use crate::fault;
use crate::render::Unanswerable;
use crate::time::Timestamp;
use crate::{ApiError, ErrorView, Level, RequestContext};

/// The longest text of one part, and the most sources: an event is kept in queues.
const MAX_TEXT: usize = 16 * 1024;
const MAX_CHAIN: usize = 32;
const MAX_BACKTRACE: usize = 64 * 1024;

/// A failure that a client has got an answer for.
///
/// Only `message` and `details` are public; the rest is for logs, and may hold anything.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ErrorEvent {
    /// When the answer was made.
    pub time: Timestamp,
    /// Where the failure comes from.
    pub origin: Origin,
    /// The machine code.
    pub code: Cow<'static, str>,
    /// The status of the answer; of a stream that broke off 500, whatever its head has said.
    pub status: StatusCode,
    /// The message that the client has got; empty where the application made the answer by hand.
    pub message: String,
    /// What the log reads: the error's `Display`.
    pub display: String,
    /// The error's sources, nearest first. Where a failure was mapped, it comes first.
    pub chain: Vec<String>,
    /// A handler of an edge has put this failure in the place of another, the first of the chain.
    pub mapped: bool,
    /// The backtrace that the error carries.
    pub backtrace: Option<String>,
    /// The details that the client has got, a JSON object.
    pub details: Option<String>,
    /// The part of the system that the code belongs to.
    pub domain: Cow<'static, str>,
    /// `app`, `security`, `performance` or one's own.
    pub category: Cow<'static, str>,
    /// How loudly to log it.
    pub level: Level,
    /// Whether its declaration wants it tracked: 5xx unless declared.
    pub reported: bool,
    /// A policy refused the call: the circuit is open, the budget spent.
    pub rejected: bool,
    /// The request's id.
    pub request_id: Option<String>,
    /// The id of the distributed trace.
    pub trace_id: Option<String>,
    /// The request's method.
    pub method: Option<Method>,
    /// The template of the route, never the path.
    pub route: Option<String>,
    /// The user that the application has named.
    pub user_id: Option<String>,
    /// The breaker that refused a call last for this request, or saw one fail; where the answer is a 5xx or a
    /// refusal, or has the code of that call's error.
    pub service: Option<String>,
    /// The retry that gave up last for this request; as `service`.
    pub operation: Option<String>,
    /// How many attempts that retry made.
    pub attempts: Option<u32>,
    /// Equal for failures of one kind: domain, code, and the type of the source that is declared.
    pub fingerprint: String,
}

/// Where a failure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A declared error.
    Declared,
    /// The framework or a middleware: no route, a body that is too large.
    Framework,
    /// A handler that panicked.
    Panic,
    /// An error of a service that no declaration covers.
    Undeclared,
    /// A response that the application made by hand.
    Response,
    /// A body that broke off after the head of the response was sent.
    Stream,
}

impl Origin {
    /// The name in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Framework => "framework",
            Self::Panic => "panic",
            Self::Undeclared => "undeclared",
            Self::Response => "response",
            Self::Stream => "stream",
        }
    }
}

impl ErrorEvent {
    /// The event of an error that is answered nowhere, such as that of a background job: as of now, for the
    /// request that this code runs for, if any. [`FanOut::report`](crate::FanOut::report) takes it.
    pub fn new(error: &dyn ApiError) -> Self {
        RequestContext::with_current(|context| Self::of(error, Origin::Declared, context))
    }

    /// Of an error, as of now. One that panics when it is asked is told of all the same.
    pub(crate) fn of(
        error: &dyn ApiError,
        origin: Origin,
        context: Option<&RequestContext>,
    ) -> Self {
        fault::guarded(|| Self::asked(error, origin, context)).unwrap_or_else(|panic| {
            let mut event = Self::asked(&Unanswerable, origin, context);
            event.chain.push(panic);
            event
        })
    }

    fn asked(error: &dyn ApiError, origin: Origin, context: Option<&RequestContext>) -> Self {
        let time = Timestamp::now();
        let view = ErrorView::new(error, context, time);
        let mut details = Vec::new();
        let details = view
            .write_details(&mut details)
            .then(|| String::from_utf8_lossy(&details).into_owned());
        let failure = Failure::of(error);
        let error = innermost(error);
        let spec = error.spec();
        let mut event = Self {
            time,
            origin,
            code: owned(failure.code, spec.code),
            status: view.status(),
            message: cut(view.message().into_owned(), MAX_TEXT),
            display: shown(&error),
            chain: chain(cause(error)),
            mapped: false,
            backtrace: backtrace(error),
            details,
            domain: Cow::Borrowed(spec.domain),
            category: Cow::Borrowed(error.category()),
            level: failure.level,
            reported: failure.reported,
            rejected: failure.rejected,
            request_id: None,
            trace_id: None,
            method: None,
            route: None,
            user_id: None,
            service: None,
            operation: None,
            attempts: None,
            fingerprint: fingerprint::of(error),
        };
        if let Some(context) = context {
            event.complete(context);
        }
        event
    }

    /// Fills in what is known of the request by now.
    pub(crate) fn complete(&mut self, context: &RequestContext) {
        let owned = |text: &str| text.to_owned();
        self.request_id = Some(context.request_id().to_owned());
        self.trace_id = context.trace_id().map(owned);
        self.method = context.method().cloned();
        self.route = context.route().map(owned);
        self.user_id = context.user().as_deref().map(owned);
        // A call that failed and was made up for has nothing to do with what went wrong after it.
        let concerns = |code: Option<&str>| {
            self.status.is_server_error() || self.rejected || code == Some(&*self.code)
        };
        let Trail { service, operation } = context.trail();
        let service = service.filter(|last| concerns(last.code));
        let operation = operation.filter(|last| concerns(last.code));
        self.service = service.map(|last| last.name.into());
        self.attempts = operation.as_ref().map(|last| last.attempts);
        self.operation = operation.map(|last| last.name.into());
    }

    /// The failure that the one reported stands for. What it does not tell is left out.
    pub(crate) fn came_from(&mut self, error: &dyn ApiError, mapped: &dyn ApiError) {
        self.mapped = true;
        let _ = fault::guarded(|| self.take_from(error, mapped));
    }

    fn take_from(&mut self, error: &dyn ApiError, mapped: &dyn ApiError) {
        let error = innermost(error);
        if std::ptr::eq(mapped.spec(), &raw const AD_HOC) {
            // It belongs to no part of the system: what it stands for does, and tells kinds apart.
            self.domain = Cow::Borrowed(error.spec().domain);
            self.category = Cow::Borrowed(error.category());
            self.fingerprint = fingerprint::of(error);
        }
        self.chain.insert(0, shown(&error));
        self.chain.extend(chain(cause(error)));
        self.chain.truncate(MAX_CHAIN);
        if self.backtrace.is_none() {
            self.backtrace = backtrace(error);
        }
    }
}

fn owned(code: &str, declared: &'static str) -> Cow<'static, str> {
    if code == declared {
        Cow::Borrowed(declared)
    } else {
        Cow::Owned(code.to_owned())
    }
}

/// What `Display` says, cut where it is too long; its panic is a text too.
pub(crate) fn shown(error: &(impl fmt::Display + ?Sized)) -> String {
    let text = fault::guarded(|| {
        let mut text = Bounded {
            text: String::new(),
            most: MAX_TEXT,
        };
        // Ends with an error once it is full.
        let _ = fmt::write(&mut text, format_args!("{error}"));
        text.text
    });
    text.unwrap_or_else(|panic| format!("`Display` panicked: {panic}"))
}

struct Bounded {
    text: String,
    most: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let left = self.most.saturating_sub(self.text.len());
        if part.len() <= left {
            self.text.push_str(part);
            return Ok(());
        }
        self.text
            .push_str(&part[..part.floor_char_boundary_at(left)]);
        self.text.push('…');
        Err(fmt::Error)
    }
}

/// `str::floor_char_boundary` is younger than the declared `rust-version`.
trait FloorCharBoundary {
    fn floor_char_boundary_at(&self, at: usize) -> usize;
}

impl FloorCharBoundary for str {
    fn floor_char_boundary_at(&self, at: usize) -> usize {
        let mut at = at.min(self.len());
        while !self.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// Its start, and a mark, where a text is longer than that.
pub(crate) fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary_at(most));
        text.push('…');
    }
    text
}

/// The texts of the errors from this one on.
pub(crate) fn chain(first: Option<&(dyn Error + 'static)>) -> Vec<String> {
    links(first).map(shown).collect()
}

/// The errors of a chain from this one on. A chain that is a circle ends too, and so does one that panics.
pub(crate) fn links<'a>(
    first: Option<&'a (dyn Error + 'static)>,
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let next = |link: &&'a (dyn Error + 'static)| {
        let link: &'a (dyn Error + 'static) = *link;
        fault::guarded(|| link.source()).unwrap_or_default()
    };
    std::iter::successors(first, next).take(MAX_CHAIN)
}

/// What caused an error, which may panic when asked.
pub(crate) fn cause(error: &dyn ApiError) -> Option<&(dyn Error + 'static)> {
    fault::guarded(|| error.source()).unwrap_or_default()
}

fn backtrace(error: &dyn ApiError) -> Option<String> {
    let backtrace = fault::guarded(|| error.backtrace()).ok()??;
    (backtrace.status() == BacktraceStatus::Captured)
        .then(|| cut(backtrace.to_string(), MAX_BACKTRACE))
}

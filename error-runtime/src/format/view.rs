//! The public side of one error for one request: all that a body may be made of.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::{self, Write};

use http::StatusCode;

use crate::api_error::innermost;
use crate::details::Part;
use crate::edge::Node;
use crate::fault::{self, FaultPart};
use crate::json_text::{self, Escaped};
use crate::render::write_message;
use crate::report::{cause, chain, cut, shown};
use crate::spec::error_status;
use crate::time::Timestamp;
use crate::{ApiError, Details, ErrorSpec, RequestContext, public_message};

/// What a [`Format`](super::Format) may tell a client of an error: only what was declared.
///
/// The error itself, its `Display` and its sources cannot be reached from here.
pub struct ErrorView<'a> {
    error: &'a dyn ApiError,
    spec: &'static ErrorSpec,
    status: StatusCode,
    code: &'a str,
    context: Option<&'a RequestContext>,
    timestamp: Timestamp,
    /// Each part is guarded against panics. The first attempt is not: a guard around all of it is
    /// cheaper, and a panic leads to a second one that is.
    careful: bool,
    /// The details panicked once; they are not asked again.
    broken_details: Cell<bool>,
    edge: Option<&'a Node>,
}

/// How large details may be, unless an edge says otherwise.
const MAX_DETAILS: usize = 256 * 1024;
/// The longest message.
const MAX_MESSAGE: usize = 16 * 1024;

/// What an edge in development shows of an error; from [`ErrorView::internals`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Internals {
    /// The error's `Display`.
    pub display: String,
    /// What caused it, nearest first.
    pub chain: Vec<String>,
}

impl fmt::Debug for ErrorView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorView")
            .field("status", &self.status)
            .field("code", &self.code())
            .field("request_id", &self.request_id())
            .finish_non_exhaustive()
    }
}

impl<'a> ErrorView<'a> {
    /// The view of `error` for the request of `context`, at `timestamp`.
    pub fn new(
        error: &'a dyn ApiError,
        context: Option<&'a RequestContext>,
        timestamp: Timestamp,
    ) -> Self {
        Self {
            careful: true,
            ..Self::unguarded(error, context, timestamp)
        }
    }

    pub(crate) fn unguarded(
        error: &'a dyn ApiError,
        context: Option<&'a RequestContext>,
        timestamp: Timestamp,
    ) -> Self {
        let error = innermost(error);
        Self {
            error,
            spec: error.spec(),
            // An error written by hand may answer with anything.
            status: error_status(error.status()),
            code: error.code(),
            context,
            timestamp,
            careful: false,
            broken_details: Cell::new(false),
            edge: context.and_then(RequestContext::edge).map(|edge| &**edge),
        }
    }

    fn guard<T>(&self, run: impl FnOnce() -> T) -> Result<T, String> {
        if self.careful {
            fault::guarded(run)
        } else {
            Ok(run())
        }
    }

    /// The constant part of the declaration.
    pub fn spec(&self) -> &'static ErrorSpec {
        self.spec
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The machine code.
    pub fn code(&self) -> &'a str {
        self.code
    }

    /// The title, constant per code: the declared one, else the reason phrase.
    pub fn title(&self) -> &'static str {
        match self.spec.title {
            "" => self.status.canonical_reason().unwrap_or("Error"),
            title => title,
        }
    }

    /// The message. If making it panics or fails, the public text of the status.
    pub fn message(&self) -> Cow<'static, str> {
        let mut message = String::new();
        if self.try_message(&mut message) {
            Cow::Owned(cut(message, MAX_MESSAGE))
        } else {
            Cow::Borrowed(public_message(self.status))
        }
    }

    /// Appends the message as the inside of a JSON string, without an allocation.
    pub fn write_message_json(&self, out: &mut Vec<u8>) {
        let start = out.len();
        if !self.try_message(&mut Escaped(out)) {
            out.truncate(start);
            json_text::escape(out, public_message(self.status));
        } else if out.len() - start > MAX_MESSAGE {
            self.cut_message(out, start);
        }
    }

    /// A message beyond all measure, again: its start, and a mark.
    #[cold]
    fn cut_message(&self, out: &mut Vec<u8>, start: usize) {
        out.truncate(start);
        json_text::escape(out, &self.message());
    }

    /// False if the message is incomplete.
    fn try_message(&self, out: &mut dyn Write) -> bool {
        match self.guard(|| write_message(self.error, self.spec, self.status, out)) {
            Ok(Ok(())) => true,
            Ok(Err(fmt::Error)) => self.fault(FaultPart::Message, "`Display` failed"),
            Err(panic) => self.fault(FaultPart::Message, panic),
        }
    }

    /// Appends the details as a JSON object, violations under `errors`. Nothing and false if there are none.
    pub fn write_details(&self, out: &mut Vec<u8>) -> bool {
        self.write_part(out, Part::All)
    }

    /// The same without the violations.
    pub fn write_details_without_violations(&self, out: &mut Vec<u8>) -> bool {
        self.write_part(out, Part::WithoutViolations)
    }

    /// Appends the violations as a JSON array. Nothing and false if there are none.
    pub fn write_violations(&self, out: &mut Vec<u8>) -> bool {
        self.write_part(out, Part::Violations)
    }

    fn write_part(&self, out: &mut Vec<u8>, part: Part) -> bool {
        if self.broken_details.get() {
            return false;
        }
        let start = out.len();
        let written = self.guard(|| {
            let most = self.edge.and_then(Node::max_details);
            let most = most.unwrap_or(MAX_DETAILS);
            let mut details = Details::new(out, self.spec, self.code, part, most);
            self.error.details(&mut details);
            details.finish()
        });
        written.unwrap_or_else(|panic| {
            out.truncate(start);
            self.broken_details.set(true);
            self.fault(FaultPart::Details, panic)
        })
    }

    /// The id of the request, where known.
    pub fn request_id(&self) -> Option<&'a str> {
        self.context.map(RequestContext::request_id)
    }

    /// The id of the distributed trace, where known.
    pub fn trace_id(&self) -> Option<&'a str> {
        self.context.and_then(RequestContext::trace_id)
    }

    /// When the answer was made.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Whether the client may hope for a second try.
    pub fn recoverable(&self) -> bool {
        self.guard(|| self.error.is_recoverable())
            .unwrap_or_else(|panic| self.fault(FaultPart::Error, panic))
    }

    #[inline]
    pub(crate) fn has_internals(&self) -> bool {
        self.edge.is_some_and(Node::shows_internals)
    }

    /// What the error is and what caused it: only behind an edge that is in development
    /// ([`ErrorLayer::development`](crate::ErrorLayer)).
    pub fn internals(&self) -> Option<Internals> {
        self.has_internals().then(|| Internals {
            display: shown(&self.error),
            chain: chain(cause(self.error)),
        })
    }

    /// Reports a part that is missing; false, for the caller to return.
    pub(crate) fn fault(&self, part: FaultPart, reason: impl fmt::Display) -> bool {
        fault::report(self.code, part, reason);
        false
    }
}

//! Who is told of failures: one seam, [`Reporter`], for logs, trackers, metrics and one's own.

mod event;
mod fan_out;
mod fingerprint;
#[cfg(feature = "tracing")]
mod log;
#[cfg(feature = "metrics")]
mod metrics;
mod observer;
#[cfg(feature = "sentry")]
mod sentry;
mod text;

pub use self::event::{ErrorEvent, Origin};
pub(crate) use self::event::{cause, chain, cut, links, shown};
pub use self::fan_out::{DeliveryCounts, FanOut};
#[cfg(feature = "tracing")]
pub use self::log::TracingReporter;
#[cfg(feature = "metrics")]
pub use self::metrics::MetricsReporter;
pub use self::observer::{CallEvent, Observer, RetriedEvent, RetryResult, add_observer};
pub(crate) use self::observer::{
    Told, is_observed, is_retry_observed, is_watched, tell, watch_trail,
};
#[cfg(feature = "sentry")]
pub use self::sentry::SentryReporter;
pub use self::text::printable;

use std::sync::Arc;

use crate::{ApiError, StatusCode};

/// Is told of every failure that a client has got an answer for, exactly once.
///
/// ```
/// use error_runtime::{Delivery, ErrorEvent, Reporter};
///
/// struct Pager;
///
/// impl Reporter for Pager {
///     fn report(&self, event: &ErrorEvent) {
///         if event.status.is_server_error() {
///             println!("{} {} of {:?}", event.code, event.display, event.request_id);
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no `Reporter`",
    label = "not a reporter",
    note = "a reporter is a type of its own: `impl Reporter for Pager {{ fn report(&self, event: &ErrorEvent) {{ … }} }}`; a `FanOut` is added with `reporters`"
)]
pub trait Reporter: Send + Sync + 'static {
    /// Takes one failure. A panic in here is caught and counted.
    fn report(&self, event: &ErrorEvent);

    /// As [`report`](Self::report), where the event may be kept without a copy. This is what is called; one that
    /// does not keep events need not know of it.
    fn report_shared(&self, event: &Arc<ErrorEvent>) {
        self.report(event);
    }

    /// Where it is called: by default on a thread of its own, so that one that is slow or blocks harms
    /// nobody.
    fn delivery(&self) -> Delivery {
        Delivery::Queued
    }

    /// Whether it wants failures of this kind at all: if no reporter does, nothing is gathered. Asked on the
    /// request's path, when the answer is made and again when it goes out: it should be quick, and give the same answer.
    fn wants(&self, failure: &Failure<'_>) -> bool {
        let _ = failure;
        true
    }

    /// What tells two reporters apart that nested layers have.
    #[doc(hidden)]
    fn __identity(&self) -> usize {
        std::ptr::from_ref(self).cast::<()>().addr()
    }
}

/// How a [`Reporter`] is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// On a thread of its own, by way of a queue with an end: when it is full, the event is dropped and
    /// counted.
    Queued,
    /// At once, before the response goes out: for what only takes a note, or must run in the request's task.
    Inline,
}

/// What is known of a failure before anything is gathered for an [`ErrorEvent`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Failure<'a> {
    /// The status of the answer.
    pub status: StatusCode,
    /// The machine code.
    pub code: &'a str,
    /// How loudly it is to be logged.
    pub level: crate::Level,
    /// Whether its declaration wants it tracked.
    pub reported: bool,
    /// A policy refused the call.
    pub rejected: bool,
}

impl<'a> Failure<'a> {
    pub(crate) fn of(error: &'a dyn ApiError) -> Self {
        Self {
            status: error.status(),
            code: error.code(),
            level: error.level(),
            reported: error.is_reported(),
            rejected: error.__classification().rejected,
        }
    }

    pub(crate) fn of_event(event: &'a ErrorEvent) -> Self {
        Self {
            status: event.status,
            code: &event.code,
            level: event.level,
            reported: event.reported,
            rejected: event.rejected,
        }
    }
}

impl<R: Reporter + ?Sized> Reporter for Arc<R> {
    fn report(&self, event: &ErrorEvent) {
        (**self).report(event);
    }

    fn report_shared(&self, event: &Arc<ErrorEvent>) {
        (**self).report_shared(event);
    }

    fn delivery(&self) -> Delivery {
        (**self).delivery()
    }

    fn wants(&self, failure: &Failure<'_>) -> bool {
        (**self).wants(failure)
    }

    fn __identity(&self) -> usize {
        (**self).__identity()
    }
}

//! What a retry tells those who watch.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::report::RetryResult;

/// An attempt has failed and another will follow.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RetryEvent<'a> {
    /// What is retried: the attribute's `operation`, or the builder's.
    pub operation: &'a str,
    /// The number of the attempt that failed, from 1.
    pub attempt: u32,
    /// The wait before the next.
    pub delay: Duration,
    /// The machine code of the error, where it has one.
    pub code: Option<&'static str>,
}

/// How a call ended that a retry watched over; from [`RetryPolicy::call_with_report`] and its like.
///
/// [`RetryPolicy::call_with_report`]: super::RetryPolicy::call_with_report
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryReport {
    /// How many attempts were made.
    pub attempts: u32,
    /// How long it waited between them.
    pub waited: Duration,
    /// Why there were no more.
    pub stop: RetryStop,
}

/// Why a retry made no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryStop {
    /// The last attempt succeeded.
    Succeeded,
    /// The error says that another attempt would not help.
    NotRetryable,
    /// Another policy refused the call.
    Rejected,
    /// All attempts were made.
    Exhausted,
    /// The next wait would have reached the deadline.
    Deadline,
    /// The service asked for a longer wait than allowed.
    RetryAfter,
    /// The budget had nothing left.
    Budget,
    /// It ran inside another retry, which does the retrying.
    Nested,
}

impl RetryStop {
    /// As observers are told.
    pub(super) const fn result(self) -> RetryResult {
        match self {
            Self::Succeeded => RetryResult::AfterRetry,
            // The outer retry goes on, and says how that ended.
            Self::NotRetryable | Self::Rejected | Self::Nested => RetryResult::NotRetryable,
            _ => RetryResult::Exhausted,
        }
    }

    /// The name in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::NotRetryable => "not_retryable",
            Self::Rejected => "rejected",
            Self::Exhausted => "exhausted",
            Self::Deadline => "deadline",
            Self::RetryAfter => "retry_after",
            Self::Budget => "budget",
            Self::Nested => "nested",
        }
    }
}

/// What is called before each further attempt.
#[derive(Clone)]
pub(super) enum Hook {
    Function(fn(&RetryEvent<'_>)),
    Closure(Arc<dyn Fn(&RetryEvent<'_>) + Send + Sync>),
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

impl Hook {
    /// A hook that panics harms nobody, nor does what it throws when that is dropped.
    pub(super) fn run(&self, event: &RetryEvent<'_>) {
        let _ = crate::fault::guarded(|| match self {
            Self::Function(hook) => hook(event),
            Self::Closure(hook) => hook(event),
        });
    }
}

//! Who watches the breakers and retries of the process.
//!
//! Without observers a call costs one load more, which tells that there are none.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::{RequestContext, RetryEvent, TransitionEvent, fault};

/// Is told what the breakers and retries of the process do. Called within the calls, outside of all locks; a
/// panic in it harms nobody, but what takes long delays the call.
///
/// Once there is an observer, calls through breakers take their slower path, some ten nanoseconds.
pub trait Observer: Send + Sync + 'static {
    /// A breaker has let a call pass.
    fn admitted(&self, service: &str) {
        let _ = service;
    }

    /// A breaker has refused a call.
    fn rejected(&self, service: &str) {
        let _ = service;
    }

    /// A call that a breaker let pass has succeeded.
    fn success(&self, service: &str) {
        let _ = service;
    }

    /// A call that a breaker let pass has failed, with this machine code where it has one.
    fn failure(&self, service: &str, code: Option<&'static str>) {
        let _ = (service, code);
    }

    /// A call that a breaker let pass was slow; it is also a success or a failure.
    fn slow(&self, service: &str) {
        let _ = service;
    }

    /// A breaker has changed its state.
    fn transition(&self, event: &TransitionEvent) {
        let _ = event;
    }

    /// An attempt has failed and another will follow.
    fn retry(&self, event: &RetryEvent<'_>) {
        let _ = event;
    }

    /// A retry has given up an error that another attempt might have helped.
    fn exhausted(&self, operation: &str, attempts: u32) {
        let _ = (operation, attempts);
    }

    /// A call that a retry watched over is over.
    fn retried(&self, operation: &str, result: RetryResult, attempts: u32) {
        let _ = (operation, result, attempts);
    }
}

/// How a call ended that a retry watched over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryResult {
    /// It succeeded at once.
    FirstTry,
    /// It succeeded by a later attempt.
    AfterRetry,
    /// It failed, and no further attempt was allowed.
    Exhausted,
    /// It failed, and another attempt would not have helped.
    NotRetryable,
}

impl RetryResult {
    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstTry => "first_try",
            Self::AfterRetry => "after_retry",
            Self::Exhausted => "exhausted",
            Self::NotRetryable => "not_retryable",
        }
    }
}

type Observers = Arc<[Arc<dyn Observer>]>;

static OBSERVERS: RwLock<Option<Observers>> = RwLock::new(None);
/// Whether anybody is told: what every call reads.
static WATCHED: AtomicU8 = AtomicU8::new(0);
const BY_OBSERVERS: u8 = 1;
const FOR_EVENTS: u8 = 2;

/// Tells an observer what all breakers and retries do from now on, until the process ends.
pub fn add_observer(observer: impl Observer) {
    let mut observers = OBSERVERS.write().unwrap_or_else(PoisonError::into_inner);
    let added: Arc<dyn Observer> = Arc::new(observer);
    let all = observers.iter().flat_map(|known| known.iter()).cloned();
    *observers = Some(all.chain([added]).collect());
    WATCHED.fetch_or(BY_OBSERVERS, Ordering::Relaxed);
}

/// From now on the refusals and the retries of a request are kept for its events.
pub(crate) fn watch_trail() {
    WATCHED.fetch_or(FOR_EVENTS, Ordering::Relaxed);
}

#[inline]
pub(crate) fn is_observed() -> bool {
    WATCHED.load(Ordering::Relaxed) & BY_OBSERVERS != 0
}

/// Whether there is anything to do when a policy has given up a call.
#[inline]
pub(crate) fn is_watched() -> bool {
    WATCHED.load(Ordering::Relaxed) != 0
}

/// What there is to tell.
#[derive(Clone, Copy)]
pub(crate) enum Told<'a> {
    Admitted(&'a str),
    Rejected(&'a str),
    Success(&'a str),
    Failure(&'a str, Option<&'static str>),
    Slow(&'a str),
    Transition(&'a TransitionEvent),
    Retry(&'a RetryEvent<'a>),
    Retried(&'a str, RetryResult, u32),
}

/// Tells all who want to know.
#[inline]
pub(crate) fn tell(told: Told<'_>) {
    if WATCHED.load(Ordering::Relaxed) != 0 {
        tell_all(told);
    }
}

#[cold]
fn tell_all(told: Told<'_>) {
    leave_trail(told);
    if !is_observed() {
        return;
    }
    // Copied: no lock is held while foreign code runs.
    let observers = OBSERVERS
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    for observer in observers.iter().flat_map(|all| all.iter()) {
        let _ = fault::guarded(|| tell_one(&**observer, told));
    }
}

fn tell_one(observer: &dyn Observer, told: Told<'_>) {
    match told {
        Told::Admitted(service) => observer.admitted(service),
        Told::Rejected(service) => observer.rejected(service),
        Told::Success(service) => observer.success(service),
        Told::Failure(service, code) => observer.failure(service, code),
        Told::Slow(service) => observer.slow(service),
        Told::Transition(event) => observer.transition(event),
        Told::Retry(event) => observer.retry(event),
        Told::Retried(operation, result, attempts) => {
            if result == RetryResult::Exhausted {
                observer.exhausted(operation, attempts);
            }
            observer.retried(operation, result, attempts);
        }
    }
}

/// What an event of this request should say of its policies.
fn leave_trail(told: Told<'_>) {
    let leave = |change: &dyn Fn(&mut crate::context::Trail)| {
        RequestContext::with_current(|context| {
            if let Some(context) = context {
                context.leave_trail(change);
            }
        });
    };
    match told {
        Told::Rejected(service) | Told::Failure(service, _) => {
            leave(&|trail| trail.service = Some(service.into()));
        }
        Told::Retried(operation, RetryResult::Exhausted | RetryResult::NotRetryable, attempts) => {
            leave(&|trail| {
                trail.operation = (!operation.is_empty()).then(|| operation.into());
                trail.attempts = Some(attempts);
            });
        }
        _ => {}
    }
}

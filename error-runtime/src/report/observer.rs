//! Who watches the breakers and retries of the process.
//!
//! Without observers a call costs one load more, which tells that there are none.

use std::cell::Cell;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use crate::context::{LastPolicy, Trail};
use crate::{RequestContext, RetryEvent, TransitionEvent, fault};

/// Is told what the breakers and retries of the process do. Called within the calls, outside of all locks; a
/// panic in it harms nobody, but what takes long delays the call. Breakers and retries that an observer uses
/// itself are not told of.
///
/// Once there is an observer, every call through a breaker takes its slower path: `benches` has the row.
pub trait Observer: Send + Sync + 'static {
    /// Whether it wants to be told of each call through a breaker: admitted, rejected, success, failure and
    /// slow. If none does, calls keep their fast path; transitions and retries are told all the same. Asked
    /// once, when it is added.
    fn wants_calls(&self) -> bool {
        true
    }

    /// A breaker has let a call pass.
    fn admitted(&self, event: &CallEvent<'_>) {
        let _ = event;
    }

    /// A breaker has refused a call.
    fn rejected(&self, event: &CallEvent<'_>) {
        let _ = event;
    }

    /// A call that a breaker let pass has succeeded.
    fn success(&self, event: &CallEvent<'_>) {
        let _ = event;
    }

    /// A call that a breaker let pass has failed.
    fn failure(&self, event: &CallEvent<'_>) {
        let _ = event;
    }

    /// A call that a breaker let pass was slow; it is also a success or a failure.
    fn slow(&self, event: &CallEvent<'_>) {
        let _ = event;
    }

    /// A breaker has changed its state.
    fn transition(&self, event: &TransitionEvent) {
        let _ = event;
    }

    /// An attempt has failed and another will follow.
    fn retry(&self, event: &RetryEvent<'_>) {
        let _ = event;
    }

    /// A retry has given up an error that another attempt might have helped. [`retried`](Self::retried) is
    /// told of the same call.
    fn exhausted(&self, event: &RetriedEvent<'_>) {
        let _ = event;
    }

    /// A call that a retry watched over is over, however it ended.
    fn retried(&self, event: &RetriedEvent<'_>) {
        let _ = event;
    }
}

/// What a breaker has to do with one call. What the breaker itself does not count, such as the result of a
/// call from before a reset, observers are not told either.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallEvent<'a> {
    /// The breaker's name.
    pub service: &'a str,
    /// The machine code of the call's error, where it has one that is constant.
    pub code: Option<&'static str>,
}

/// The end of a call that a retry watched over.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RetriedEvent<'a> {
    /// What was retried: the attribute's `operation`, or the builder's; empty if it has none.
    pub operation: &'a str,
    /// How it ended.
    pub result: RetryResult,
    /// How many attempts were made.
    pub attempts: u32,
    /// The machine code of the last error, where it has one that is constant.
    pub code: Option<&'static str>,
}

macro_rules! forward {
    ($($method:ident: $event:ty;)*) => {
        impl<O: Observer + ?Sized> Observer for Arc<O> {
            fn wants_calls(&self) -> bool {
                (**self).wants_calls()
            }

            $(
            fn $method(&self, event: &$event) {
                (**self).$method(event);
            }
        )*}
    };
}

forward! {
    admitted: CallEvent<'_>;
    rejected: CallEvent<'_>;
    success: CallEvent<'_>;
    failure: CallEvent<'_>;
    slow: CallEvent<'_>;
    transition: TransitionEvent;
    retry: RetryEvent<'_>;
    exhausted: RetriedEvent<'_>;
    retried: RetriedEvent<'_>;
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

/// The observers, in a list that only grows: who reads it takes no lock and counts nothing.
struct Link {
    observer: Box<dyn Observer>,
    wants_calls: bool,
    next: OnceLock<&'static Self>,
}

static FIRST: OnceLock<&'static Link> = OnceLock::new();
thread_local! {
    static IN_OBSERVER: Cell<bool> = const { Cell::new(false) };
}

/// Whether anybody is told: what every call reads.
static WATCHED: AtomicU8 = AtomicU8::new(0);
const BY_OBSERVERS: u8 = 1;
const FOR_EVENTS: u8 = 2;
const BY_OBSERVERS_OF_RETRIES: u8 = 4;

/// Tells an observer what all breakers and retries do from now on, until the process ends.
pub fn add_observer(observer: impl Observer) {
    let wants_calls = fault::guarded(|| observer.wants_calls()).unwrap_or(true);
    // Never freed: there are a few, and they stay as long as the process.
    let link: &'static Link = Box::leak(Box::new(Link {
        observer: Box::new(observer),
        wants_calls,
        next: OnceLock::new(),
    }));
    let mut end = &FIRST;
    while end.set(link).is_err() {
        match end.get() {
            Some(link) => end = &link.next,
            None => unreachable!("it was set"),
        }
    }
    let by = if wants_calls {
        BY_OBSERVERS | BY_OBSERVERS_OF_RETRIES
    } else {
        BY_OBSERVERS_OF_RETRIES
    };
    WATCHED.fetch_or(by, Ordering::Relaxed);
}

/// From now on the refusals and the retries of a request are kept for its events.
pub(crate) fn watch_trail() {
    WATCHED.fetch_or(FOR_EVENTS, Ordering::Relaxed);
}

/// Whether anybody is told of single calls through breakers.
#[inline]
pub(crate) fn is_observed() -> bool {
    WATCHED.load(Ordering::Relaxed) & BY_OBSERVERS != 0
}

/// Whether anybody is told of retries.
#[inline]
pub(crate) fn is_retry_observed() -> bool {
    WATCHED.load(Ordering::Relaxed) & BY_OBSERVERS_OF_RETRIES != 0
}

/// Whether there is anything to do when a policy has given up a call.
#[inline]
pub(crate) fn is_watched() -> bool {
    WATCHED.load(Ordering::Relaxed) != 0
}

/// What there is to tell.
#[derive(Clone, Copy)]
pub(crate) enum Told<'a> {
    Admitted(CallEvent<'a>),
    Rejected(CallEvent<'a>),
    Success(CallEvent<'a>),
    Failure(CallEvent<'a>),
    Slow(CallEvent<'a>),
    Transition(&'a TransitionEvent),
    Retry(&'a RetryEvent<'a>),
    Retried(RetriedEvent<'a>),
}

impl Told<'_> {
    /// One call through a breaker.
    const fn is_call(self) -> bool {
        match self {
            Self::Admitted(_)
            | Self::Rejected(_)
            | Self::Success(_)
            | Self::Failure(_)
            | Self::Slow(_) => true,
            Self::Transition(_) | Self::Retry(_) | Self::Retried(_) => false,
        }
    }
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
    if !is_retry_observed() {
        return;
    }
    // What an observer does itself is not told, or it might never end.
    if IN_OBSERVER.replace(true) {
        return;
    }
    let links = std::iter::successors(FIRST.get(), |link| link.next.get());
    for link in links.filter(|link| link.wants_calls || !told.is_call()) {
        let _ = fault::guarded(|| tell_one(&*link.observer, told));
    }
    IN_OBSERVER.set(false);
}

fn tell_one(observer: &dyn Observer, told: Told<'_>) {
    match told {
        Told::Admitted(event) => observer.admitted(&event),
        Told::Rejected(event) => observer.rejected(&event),
        Told::Success(event) => observer.success(&event),
        Told::Failure(event) => observer.failure(&event),
        Told::Slow(event) => observer.slow(&event),
        Told::Transition(event) => observer.transition(event),
        Told::Retry(event) => observer.retry(event),
        Told::Retried(event) => {
            if event.result == RetryResult::Exhausted {
                observer.exhausted(&event);
            }
            observer.retried(&event);
        }
    }
}

/// What an event of this request should say of its policies.
fn leave_trail(told: Told<'_>) {
    let last = |name: &str, code, attempts| {
        (!name.is_empty()).then(|| LastPolicy {
            name: name.into(),
            code,
            attempts,
        })
    };
    let leave = |change: &dyn Fn(&mut Trail)| {
        RequestContext::with_current(|context| {
            if let Some(context) = context {
                context.leave_trail(change);
            }
        });
    };
    match told {
        Told::Rejected(event) | Told::Failure(event) => {
            leave(&|trail| trail.service = last(event.service, event.code, 0));
        }
        Told::Retried(event)
            if matches!(
                event.result,
                RetryResult::Exhausted | RetryResult::NotRetryable
            ) =>
        {
            leave(&|trail| trail.operation = last(event.operation, event.code, event.attempts));
        }
        _ => {}
    }
}

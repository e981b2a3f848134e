//! A clock that a test moves.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A clock that stands still until it is told to move. Clones share the time.
///
/// It goes into `.clock(…)` of the builders and drives sync and async code: a retry's wait moves it
/// to the wait's end and returns at once.
///
/// ```
/// use error_runtime::time::ManualClock;
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let same = clock.clone();
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(same.now(), Duration::from_secs(5));
/// ```
#[derive(Clone, Default)]
pub struct ManualClock(Arc<State>);

#[derive(Default)]
struct State {
    nanos: AtomicU64,
    waiting: Mutex<Waiting>,
}

/// Limits of time that calls run under, by their ends.
#[derive(Default)]
struct Waiting {
    wakers: BTreeMap<(u64, u64), Waker>,
    next: u64,
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}

impl ManualClock {
    /// A clock at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// The time since the clock was made, as far as it was moved.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.nanos())
    }

    fn nanos(&self) -> u64 {
        self.0.nanos.load(Ordering::SeqCst)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        let waiting = self.0.waiting.lock();
        waiting.unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the clock forward, and wakes the calls whose limit of time is reached. The time stops at
    /// 584 years.
    pub fn advance(&self, by: Duration) {
        let by = super::nanos(by);
        let add = |now: u64| Some(now.saturating_add(by));
        let before = self
            .0
            .nanos
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, add);
        let now = before.unwrap_or_else(|now| now).saturating_add(by);
        let mut waiting = self.waiting();
        let later = waiting.wakers.split_off(&(now.saturating_add(1), 0));
        let due = std::mem::replace(&mut waiting.wakers, later);
        drop(waiting);
        due.into_values().for_each(Waker::wake);
    }
}

/// A limit of time by a manual clock: whoever moves the clock wakes the call.
pub(crate) struct ManualAlarm {
    clock: ManualClock,
    end: u64,
    key: Option<(u64, u64)>,
}

impl ManualAlarm {
    pub(super) fn new(clock: &ManualClock, nanos: u64) -> Self {
        Self {
            clock: clock.clone(),
            end: clock.nanos().saturating_add(nanos),
            key: None,
        }
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let mut waiting = self.clock.waiting();
        // Under the lock: `advance` moves the time first and looks here then, so one of the two sees the
        // other.
        if self.clock.nanos() >= self.end {
            return Poll::Ready(());
        }
        let key = *self.key.get_or_insert_with(|| {
            waiting.next += 1;
            (self.end, waiting.next)
        });
        let before = waiting.wakers.insert(key, waker);
        drop(waiting);
        drop(before);
        Poll::Pending
    }
}

impl Drop for ManualAlarm {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = self.clock.waiting().wakers.remove(&key);
            drop(waker);
        }
    }
}

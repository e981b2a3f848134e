//! Waiting, by the same clock that policies measure with.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::clock::{Clock, Source};
#[cfg(feature = "test-util")]
use super::manual::{ManualAlarm, ManualClock};
use super::timer::Timer;

/// A wait as a future: tokio's timer within a tokio runtime, else a thread of this crate that keeps
/// time for any executor. A wait of nothing touches no timer, and is over at once.
///
/// A tokio runtime that waits must have its time driver (`enable_time` or `enable_all`): tokio panics
/// without it.
#[must_use = "futures do nothing unless polled"]
pub struct Sleep(State);

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").finish_non_exhaustive()
    }
}

enum State {
    Over,
    // Boxed, all of them: else their size would lie in every future that may wait.
    #[cfg(feature = "tokio")]
    Tokio(Pin<Box<tokio::time::Sleep>>),
    Timer(Box<Timer>),
    #[cfg(feature = "test-util")]
    Manual(Box<(ManualClock, Duration)>),
}

impl Sleep {
    /// A wait of a policy that uses this clock; a manual clock is moved to its end.
    #[inline]
    pub(crate) fn new(clock: &Clock, nanos: u64) -> Self {
        if nanos == 0 {
            return Self(State::Over);
        }
        Self::begin(clock, Duration::from_nanos(nanos))
    }

    #[cold]
    fn begin(clock: &Clock, wait: Duration) -> Self {
        match &clock.0 {
            Source::System => Self(system(wait)),
            #[cfg(feature = "test-util")]
            Source::Manual(clock) => Self(State::Manual(Box::new((clock.clone(), wait)))),
        }
    }
}

#[cfg(feature = "tokio")]
fn system(wait: Duration) -> State {
    if tokio::runtime::Handle::try_current().is_ok() {
        State::Tokio(Box::pin(tokio::time::sleep(wait)))
    } else {
        State::Timer(Box::new(Timer::new(wait)))
    }
}

#[cfg(not(feature = "tokio"))]
fn system(wait: Duration) -> State {
    State::Timer(Box::new(Timer::new(wait)))
}

impl Future for Sleep {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            State::Over => return Poll::Ready(()),
            #[cfg(feature = "tokio")]
            State::Tokio(sleep) => std::task::ready!(sleep.as_mut().poll(context)),
            State::Timer(timer) => std::task::ready!(Pin::new(&mut **timer).poll(context)),
            #[cfg(feature = "test-util")]
            State::Manual(wait) => wait.0.advance(wait.1),
        }
        self.0 = State::Over;
        Poll::Ready(())
    }
}

impl Clock {
    /// Waits on this thread; a manual clock is moved instead.
    #[inline]
    pub(crate) fn block(&self, nanos: u64) {
        if nanos > 0 {
            self.block_for(nanos);
        }
    }

    #[cold]
    fn block_for(&self, nanos: u64) {
        let wait = Duration::from_nanos(nanos);
        match &self.0 {
            Source::System => std::thread::sleep(wait),
            #[cfg(feature = "test-util")]
            Source::Manual(clock) => clock.advance(wait),
        }
    }
}

/// What goes off when a limit of time is reached; set when it is first waited for. A manual clock is not
/// moved by it: whoever holds the clock does that.
pub(crate) enum Alarm {
    Off,
    At(Sleep),
    #[cfg(feature = "test-util")]
    Manual(Box<ManualAlarm>),
}

impl Alarm {
    /// Whether `nanos` have passed since the alarm was first asked.
    #[inline]
    pub(crate) fn poll(
        &mut self,
        clock: &Clock,
        nanos: u64,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        if let Self::Off = self {
            self.set(clock, nanos);
        }
        match self {
            Self::At(sleep) => Pin::new(sleep).poll(context),
            #[cfg(feature = "test-util")]
            Self::Manual(alarm) => alarm.poll(context),
            Self::Off => Poll::Pending,
        }
    }

    #[cold]
    fn set(&mut self, clock: &Clock, nanos: u64) {
        *self = match &clock.0 {
            Source::System => Self::At(Sleep::new(clock, nanos)),
            #[cfg(feature = "test-util")]
            Source::Manual(clock) => Self::Manual(Box::new(ManualAlarm::new(clock, nanos))),
        };
    }
}

//! A limit on calls in a stretch of time.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::policy::{AcceptsRejected, IsResult};
use crate::time::{Clock, nanos};
use crate::{ConfigError, Rejected};

/// Lets so many calls pass in a stretch of time and refuses the rest at once, as
/// [`Rejected::RateLimited`].
///
/// The limit slides: after a rest all calls may come at once, and from then on each comes back after
/// its share of the time. One atomic word holds it all (the generic cell rate algorithm).
///
/// ```
/// use error_runtime::RateLimiter;
/// use std::time::Duration;
/// static MAILS: RateLimiter = RateLimiter::const_new(2, Duration::from_secs(60));
/// assert!(MAILS.try_acquire().is_ok());
/// assert!(MAILS.try_acquire().is_ok());
/// assert!(MAILS.try_acquire().is_err());
/// ```
#[derive(Debug)]
pub struct RateLimiter {
    /// How long a call stands in the way of others.
    share: u64,
    /// As far ahead as calls may be booked.
    stretch: u64,
    /// The time up to which calls are booked.
    booked: AtomicU64,
    clock: Clock,
}

impl RateLimiter {
    /// After a rest `calls` may come at once; from then on one more in each `per / calls`. So within
    /// `per` there are never twice as many.
    ///
    /// # Errors
    ///
    /// If no call may ever pass, more than one in a nanosecond, or `per` is longer than a century.
    pub const fn new(calls: u32, per: Duration) -> Result<Self, ConfigError> {
        match shares(calls, per) {
            Ok((share, stretch)) => Ok(Self::with_shares(share, stretch)),
            Err(error) => Err(error),
        }
    }

    /// The same for a `static`.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new) fails; in a `static` that is a compile error.
    pub const fn const_new(calls: u32, per: Duration) -> Self {
        match shares(calls, per) {
            Ok((share, stretch)) => Self::with_shares(share, stretch),
            Err(error) => panic!("{}", error.reason),
        }
    }

    const fn with_shares(share: u64, stretch: u64) -> Self {
        Self {
            share,
            stretch,
            booked: AtomicU64::new(0),
            clock: Clock::SYSTEM,
        }
    }

    /// Takes the time from another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = clock.into();
        self
    }

    /// Leave for one call.
    ///
    /// # Errors
    ///
    /// [`Rejected::RateLimited`] if the limit is reached.
    #[inline]
    pub fn try_acquire(&self) -> Result<(), Rejected> {
        let now = self.clock.nanos();
        self.booked
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |booked| {
                let booked = booked.max(now).saturating_add(self.share);
                (booked - now <= self.stretch).then_some(booked)
            })
            .map(|_| ())
            .map_err(|_| Rejected::RateLimited)
    }

    /// Runs a call if the limit allows it.
    ///
    /// # Errors
    ///
    /// The call's own, or [`Rejected::RateLimited`] as its error type.
    #[inline]
    pub fn call<R>(&self, op: impl FnOnce() -> R) -> R
    where
        R: IsResult<Error: AcceptsRejected>,
    {
        match self.try_acquire() {
            Ok(()) => op(),
            Err(rejected) => R::from_result(Err(R::Error::from_rejected(rejected))),
        }
    }

    /// Runs a future if the limit allows it when it is first polled.
    #[inline]
    pub fn call_async<F>(&self, op: F) -> RateLimitFuture<'_, F>
    where
        F: Future<Output: IsResult<Error: AcceptsRejected>>,
    {
        RateLimitFuture {
            op,
            place: Place::Asks(self),
        }
    }
}

/// The share of a call, and the stretch, in nanoseconds.
const fn shares(calls: u32, per: Duration) -> Result<(u64, u64), ConfigError> {
    if calls == 0 {
        return Err(ConfigError::new("calls", "`calls` is at least 1"));
    }
    let stretch = nanos(per);
    if stretch < calls as u64 {
        return Err(ConfigError::new(
            "per",
            "`per` is at least a nanosecond for each call",
        ));
    }
    // Times are added to it, and must not reach the end of what is counted.
    if stretch > u64::MAX / 4 {
        return Err(ConfigError::new("per", "`per` is at most a century"));
    }
    // Rounded up, so that no more than the calls fit.
    let share = stretch.div_ceil(calls as u64);
    Ok((share, share * calls as u64))
}

pin_project_lite::pin_project! {
    /// The future of [`RateLimiter::call_async`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct RateLimitFuture<'l, F> {
        #[pin]
        op: F,
        place: Place<'l>,
    }
}

#[derive(Debug)]
enum Place<'l> {
    Asks(&'l RateLimiter),
    Runs,
    Done,
}

impl<F, R> Future for RateLimitFuture<'_, F>
where
    F: Future<Output = R>,
    R: IsResult<Error: AcceptsRejected>,
{
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        let this = self.project();
        match *this.place {
            Place::Asks(limiter) => {
                if let Err(rejected) = limiter.try_acquire() {
                    *this.place = Place::Done;
                    return Poll::Ready(R::from_result(Err(R::Error::from_rejected(rejected))));
                }
                *this.place = Place::Runs;
            }
            Place::Runs => {}
            Place::Done => panic!("a rate-limited call was polled after its end"),
        }
        let result = std::task::ready!(this.op.poll(context));
        *this.place = Place::Done;
        Poll::Ready(result)
    }
}

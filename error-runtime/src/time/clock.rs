//! The only clock: monotonic, injected, and the same for windows, durations and waits.

use std::fmt;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

#[cfg(feature = "test-util")]
use super::ManualClock;

/// What a policy takes the time from: the system's monotonic clock, unless a test injects its own.
///
/// Under tokio's paused time the default clock follows tokio, for the policies that run in its
/// runtime.
#[derive(Clone, Default)]
pub struct Clock(pub(super) Source);

#[derive(Clone, Default)]
pub(super) enum Source {
    #[default]
    System,
    #[cfg(feature = "test-util")]
    Manual(ManualClock),
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock(system)",
            #[cfg(feature = "test-util")]
            Source::Manual(_) => "Clock(manual)",
        })
    }
}

/// Times are counted from here: an hour before the first use of the clock, because tokio's paused time
/// stands at the start of its runtime, which was before, and no time comes before zero.
static ORIGIN: LazyLock<Instant> = LazyLock::new(|| {
    let now = Instant::now();
    now.checked_sub(Duration::from_secs(3600)).unwrap_or(now)
});

#[cfg(feature = "tokio")]
fn system_now() -> Instant {
    // Without tokio's `test-util` this is `Instant::now`.
    tokio::time::Instant::now().into_std()
}

#[cfg(not(feature = "tokio"))]
fn system_now() -> Instant {
    Instant::now()
}

impl Clock {
    /// The default clock, for statics.
    pub(crate) const SYSTEM: Self = Self(Source::System);

    /// Nanoseconds since some moment of this process.
    #[inline]
    pub(crate) fn nanos(&self) -> u64 {
        match &self.0 {
            // Time may seem to go backwards between two tokio runtimes: saturate.
            Source::System => nanos(system_now().saturating_duration_since(*ORIGIN)),
            #[cfg(feature = "test-util")]
            Source::Manual(clock) => nanos(clock.now()),
        }
    }

    /// The same from a clock that is cheaper to read and a few milliseconds behind. Not to be
    /// compared with [`nanos`](Self::nanos).
    #[inline]
    pub(crate) fn coarse_nanos(&self) -> u64 {
        match &self.0 {
            Source::System => system_coarse(),
            #[cfg(feature = "test-util")]
            Source::Manual(clock) => nanos(clock.now()),
        }
    }
}

/// With `test-util` the accurate clock, so that paused time moves windows too.
#[cfg(any(feature = "test-util", not(target_os = "linux")))]
fn system_coarse() -> u64 {
    Clock::SYSTEM.nanos()
}

#[cfg(all(not(feature = "test-util"), target_os = "linux"))]
fn system_coarse() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
    time.tv_sec
        .cast_unsigned()
        .wrapping_mul(1_000_000_000)
        .wrapping_add(time.tv_nsec.cast_unsigned())
}

/// Nanoseconds; what is longer than 584 years is that long.
#[inline]
pub(crate) const fn nanos(duration: Duration) -> u64 {
    // In 64 bits: `as_nanos` takes 128, which costs on each read of the clock.
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(duration.subsec_nanos() as u64)
}

#[cfg(feature = "test-util")]
impl From<ManualClock> for Clock {
    fn from(clock: ManualClock) -> Self {
        Self(Source::Manual(clock))
    }
}

impl From<&Clock> for Clock {
    fn from(clock: &Clock) -> Self {
        clock.clone()
    }
}

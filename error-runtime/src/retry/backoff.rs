//! How long to wait before the next attempt: arithmetic alone, without a clock.

use std::time::Duration;

use super::config::Config;
use super::jitter::{Chance, Jitter};
use super::policy::Core;

/// The delays of one call, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    chance: Chance,
    /// The delay of the next step before chance; with decorrelated jitter, the delay before.
    step: u64,
}

impl Backoff {
    #[inline]
    pub(super) fn new(config: &Config, core: &Core) -> Self {
        Self {
            // Chance costs, and without a delay there is nothing to change.
            chance: Chance::new(if config.base == 0 { 0 } else { core.seed() }),
            step: config.base,
        }
    }

    /// The next delay in nanoseconds, within `max`.
    #[inline]
    pub(super) fn next(&mut self, config: &Config) -> u64 {
        if config.base == 0 {
            return 0;
        }
        let step = self.step.min(config.max);
        if let Jitter::Decorrelated = config.jitter {
            let delay = self
                .chance
                .between(config.base, step.saturating_mul(3))
                .min(config.max);
            self.step = delay.max(config.base);
            return delay;
        }
        self.step = times(step, config.factor);
        let delay = match config.jitter {
            Jitter::Full => self.chance.between(0, step),
            Jitter::Equal => self.chance.between(step / 2, step),
            Jitter::Ratio(ratio) => {
                let spread = times(step, ratio);
                let least = step.saturating_sub(spread);
                self.chance.between(least, step.saturating_add(spread))
            }
            Jitter::None | Jitter::Decorrelated => step,
        };
        delay.min(config.max)
    }
}

/// A time by a factor; at most 292 years, which is `i64::MAX` nanoseconds. By way of `i64`, since
/// processors turn it into a float and back with one instruction each.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a cast of a float saturates, which is what is wanted; nobody sees a nanosecond in a day"
)]
fn times(nanos: u64, factor: f64) -> u64 {
    ((nanos.cast_signed() as f64 * factor) as i64).cast_unsigned()
}

/// The delays that a policy would wait, one for each attempt after the first; from
/// [`RetryPolicy::delays`](super::RetryPolicy::delays).
#[derive(Clone, Debug)]
pub struct Delays<'p> {
    config: &'p Config,
    backoff: Backoff,
    left: u32,
}

impl<'p> Delays<'p> {
    #[inline]
    pub(super) fn new(core: &'p Core) -> Self {
        let config = &core.config;
        Self {
            config,
            backoff: Backoff::new(config, core),
            left: config.attempts - 1,
        }
    }
}

impl Iterator for Delays<'_> {
    type Item = Duration;

    #[inline]
    fn next(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        Some(Duration::from_nanos(self.backoff.next(self.config)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.left as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Delays<'_> {}

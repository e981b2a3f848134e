//! How long to wait before the next attempt: arithmetic alone, without a clock.

use std::time::Duration;

use super::config::Config;
use super::jitter::{Chance, Jitter};

/// The delays of one call, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    chance: Chance,
    /// The delay of the next step before chance; with decorrelated jitter, the delay before.
    step: u64,
}

impl Backoff {
    #[inline]
    pub(super) fn new(config: &Config, seed: u64) -> Self {
        Self {
            chance: Chance::new(seed),
            step: config.base,
        }
    }

    /// The next delay in nanoseconds, within `max`.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates, which is what is wanted; nobody sees a nanosecond in a day"
    )]
    pub(super) fn next(&mut self, config: &Config) -> u64 {
        let step = self.step.min(config.max);
        if let Jitter::Decorrelated = config.jitter {
            let delay = self
                .chance
                .between(config.base, step.saturating_mul(3))
                .min(config.max);
            self.step = delay.max(config.base);
            return delay;
        }
        self.step = (step as f64 * config.factor) as u64;
        let delay = match config.jitter {
            Jitter::Full => self.chance.between(0, step),
            Jitter::Equal => self.chance.between(step / 2, step),
            Jitter::Ratio(ratio) => {
                let spread = (step as f64 * ratio) as u64;
                let least = step.saturating_sub(spread);
                self.chance.between(least, step.saturating_add(spread))
            }
            Jitter::None | Jitter::Decorrelated => step,
        };
        delay.min(config.max)
    }
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
    pub(super) fn new(config: &'p Config, seed: u64) -> Self {
        Self {
            config,
            backoff: Backoff::new(config, seed),
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

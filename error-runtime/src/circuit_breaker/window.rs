//! What went wrong lately: the part of a window that is kept under the lock.
//!
//! Healthy calls are counted by their threads ([`super::stripes`]); here are the failures, the slow
//! calls, and the successes of threads that have no counters of their own. Together they are the
//! window.

use std::collections::VecDeque;

use super::config::{Config, PARTS, Window};
use super::stripes::{SLICES, Stripes};

/// One result that is not simply a quick success.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) failed: bool,
    pub(super) slow: bool,
}

/// The numbers of a window at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) calls: u64,
    pub(super) failures: u64,
    pub(super) slow: u64,
}

/// The marks of one episode.
pub(super) struct Marks {
    /// Results recorded here, marked or not, over the whole episode.
    recorded: u64,
    /// Nothing before the first mark: an idle breaker stays small.
    window: Option<Box<Marked>>,
}

/// What is in the window.
#[derive(Default)]
struct Marked {
    /// Of a window of calls: which call it was, counted from the episode's start.
    positions: VecDeque<(u64, Mark)>,
    /// How many of those failed and were slow.
    counts: Counts,
    /// Of a window of time: one entry per slice that has something.
    slices: VecDeque<(u64, Counts)>,
}

impl Marks {
    pub(super) const fn new() -> Self {
        Self {
            recorded: 0,
            window: None,
        }
    }

    pub(super) fn clear(&mut self) {
        // A window that was large once may be idle now.
        *self = Self::new();
    }

    /// Records a result. `slice` is that of now, for a window of time.
    pub(super) fn record(
        &mut self,
        config: &Config,
        stripes: &Stripes,
        episode: u32,
        slice: u64,
        mark: Mark,
    ) {
        self.recorded += 1;
        match config.window {
            Window::Calls(_) if mark.failed || mark.slow => {
                let position = stripes.successes_of(episode) + self.recorded;
                let window = self.window.get_or_insert_default();
                window.positions.push_back((position, mark));
                window.counts.failures += u64::from(mark.failed);
                window.counts.slow += u64::from(mark.slow);
            }
            Window::Calls(_) => {}
            Window::Nanos(_) => {
                let slices = &mut self.window.get_or_insert_default().slices;
                // Time may go backwards between threads: then it belongs to an older slice.
                let at = slices.iter().rposition(|(of, _)| *of <= slice);
                let index = match at {
                    Some(at) if slices[at].0 == slice => at,
                    at => {
                        let index = at.map_or(0, |at| at + 1);
                        slices.insert(index, (slice, Counts::default()));
                        index
                    }
                };
                let counts = &mut slices[index].1;
                counts.calls += 1;
                counts.failures += u64::from(mark.failed);
                counts.slow += u64::from(mark.slow);
            }
        }
    }

    /// The window as of now. Forgets what has left it.
    pub(super) fn counts(
        &mut self,
        config: &Config,
        stripes: &Stripes,
        episode: u32,
        slice: u64,
    ) -> Counts {
        match config.window {
            Window::Calls(size) => {
                let size = u64::from(size);
                let calls = stripes.successes_of(episode) + self.recorded;
                let mut counts = Counts {
                    calls: calls.min(size),
                    ..Counts::default()
                };
                if let Some(window) = &mut self.window {
                    window.forget_before(calls.saturating_sub(size));
                    counts.failures = window.counts.failures;
                    counts.slow = window.counts.slow;
                }
                counts
            }
            Window::Nanos(_) => {
                let first = slice.saturating_sub(SLICES - 1);
                let mut slices = self.window.as_mut().map(|window| &mut window.slices);
                if let Some(slices) = &mut slices {
                    while slices.front().is_some_and(|(of, _)| *of < first) {
                        slices.pop_front();
                    }
                }
                let mut counts = Counts {
                    calls: stripes.successes_until(episode, slice),
                    ..Counts::default()
                };
                let slices = slices.iter().flat_map(|slices| slices.iter());
                for (_, some) in slices.filter(|(of, _)| *of <= slice) {
                    counts.calls += some.calls;
                    counts.failures += some.failures;
                    counts.slow += some.slow;
                }
                counts
            }
        }
    }
}

impl Marked {
    /// Drops the marks of calls up to this one, which have left a window of calls.
    fn forget_before(&mut self, last: u64) {
        while let Some(&(position, mark)) = self.positions.front() {
            if position > last {
                break;
            }
            self.positions.pop_front();
            self.counts.failures -= u64::from(mark.failed);
            self.counts.slow -= u64::from(mark.slow);
        }
    }
}

impl Counts {
    /// Whether a rate is reached, with as many calls as are asked for.
    pub(super) fn opens(self, config: &Config) -> bool {
        let reached = |rate: Option<u64>, count: u64| {
            rate.is_some_and(|parts| {
                u128::from(count) * u128::from(PARTS) >= u128::from(parts) * u128::from(self.calls)
            })
        };
        self.calls >= u64::from(config.min_calls)
            && (reached(config.failure_rate, self.failures) || reached(config.slow_rate, self.slow))
    }

    /// Whether a success must be evaluated: there is something to count against too few calls.
    pub(super) fn is_warming(self, config: &Config) -> bool {
        self.calls < u64::from(config.min_calls) && (self.failures > 0 || self.slow > 0)
    }
}

/// The slice of time that a moment lies in.
#[inline]
pub(super) fn slice_of(config: &Config, now: u64) -> u64 {
    let product = u128::from(now) * u128::from(config.slices_per_time);
    // The upper half of 128 bits.
    (product >> 64) as u64
}

//! Small operations, compared with each other within one run.
//!
//! A figure in nanoseconds moves with the machine's load, its clock and its caches; the ratio of two
//! operations measured moments apart moves far less. So every round runs each case once, in a random
//! order, and what is reported as a ratio is the median of the ratios within the rounds.

mod heap;
mod limit;
mod rounds;
mod scaling;

use std::hint::black_box;

pub use heap::{Counting, Heap};
pub use limit::Limit;
pub use rounds::{Plan, Results};
pub use scaling::scaling;

/// One operation to measure.
pub struct Case {
    name: &'static str,
    /// Runs the operation that many times.
    run: Box<dyn FnMut(u64)>,
}

impl Case {
    /// The operation includes dropping what it returns.
    pub fn new<T>(name: &'static str, mut operation: impl FnMut() -> T + 'static) -> Self {
        Self {
            name,
            run: Box::new(move |times| {
                for _ in 0..times {
                    black_box(operation());
                }
            }),
        }
    }

    /// An operation that runs itself so many times: for what has to be set up once a batch, such as a
    /// runtime to block on.
    pub fn batch(name: &'static str, run: impl FnMut(u64) + 'static) -> Self {
        Self {
            name,
            run: Box::new(run),
        }
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    // Not inlined, so that every case is called from the same place.
    #[inline(never)]
    pub fn run(&mut self, times: u64) {
        (self.run)(times);
    }
}

/// The middle value, or of an even number the upper of the two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

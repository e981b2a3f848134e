//! How much more two threads do than one.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// The throughput of two threads that run the operation at the same time, by that of one: 2 is ideal.
///
/// One and two alternate, and the best of each is taken: what else the machine does only takes from them.
/// Needs two free processors.
pub fn scaling(operation: impl Fn() + Sync) -> f64 {
    const ROUNDS: usize = 21;
    let (mut one, mut two) = (0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        one = one.max(throughput(1, &operation));
        two = two.max(throughput(2, &operation));
    }
    two / one
}

/// Operations in a nanosecond, of all threads together.
fn throughput(threads: usize, operation: &(impl Fn() + Sync)) -> f64 {
    /// Until the scheduler has spread new threads over the processors, which takes it some milliseconds:
    /// before, two of them may take turns on one.
    const SETTLE: Duration = Duration::from_millis(20);
    const WINDOW: Duration = Duration::from_millis(20);
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let start = || {
            barrier.wait();
            run(SETTLE, operation);
            run(WINDOW, operation)
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(start)).collect();
        let of = |thread: thread::ScopedJoinHandle<'_, f64>| thread.join().unwrap_or(f64::NAN);
        running.into_iter().map(of).sum()
    })
}

/// Operations in a nanosecond, of this thread.
fn run(time: Duration, operation: &impl Fn()) -> f64 {
    let start = Instant::now();
    let mut operations = 0_u64;
    loop {
        (0..1024).for_each(|_| operation());
        operations += 1024;
        let taken = start.elapsed();
        if taken >= time {
            return operations as f64 / taken.as_nanos() as f64;
        }
    }
}

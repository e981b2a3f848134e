//! How much more two threads do than one.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::median;

/// The throughput of two threads that run the operation at the same time, by that of one: 2 is ideal.
///
/// One and two alternate, and the median of the ratios is given. Needs two free processors.
pub fn scaling(operation: impl Fn() + Sync) -> f64 {
    const ROUNDS: usize = 41;
    let ratios = (0..ROUNDS).map(|_| {
        let one = throughput(1, &operation);
        throughput(2, &operation) / one
    });
    median(ratios.collect())
}

/// Operations in a nanosecond, of all threads together.
fn throughput(threads: usize, operation: &(impl Fn() + Sync)) -> f64 {
    const WINDOW: Duration = Duration::from_millis(4);
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let start = || {
            // Warms up what belongs to the thread.
            (0..64).for_each(|_| operation());
            barrier.wait();
            let start = Instant::now();
            let mut operations = 0_u64;
            loop {
                (0..1024).for_each(|_| operation());
                operations += 1024;
                let taken = start.elapsed();
                if taken >= WINDOW {
                    return operations as f64 / taken.as_nanos() as f64;
                }
            }
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(start)).collect();
        let of = |thread: thread::ScopedJoinHandle<'_, f64>| thread.join().unwrap_or(f64::NAN);
        running.into_iter().map(of).sum()
    })
}

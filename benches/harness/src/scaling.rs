//! How much more two threads do than one.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
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

/// Operations in a nanosecond, of all threads together, over one interval that they share.
fn throughput(threads: usize, operation: &(impl Fn() + Sync)) -> f64 {
    /// Until the scheduler has spread new threads over the processors, which takes it some milliseconds:
    /// before, two of them may take turns on one.
    const SETTLE: Duration = Duration::from_millis(20);
    const WINDOW: Duration = Duration::from_millis(20);
    let (started, settled) = (Barrier::new(threads), Barrier::new(threads));
    let over = AtomicBool::new(false);
    let count = |first: bool| {
        started.wait();
        let start = Instant::now();
        while start.elapsed() < SETTLE {
            (0..1024).for_each(|_| operation());
        }
        settled.wait();
        let start = Instant::now();
        let mut operations = 0_u64;
        // The first says when it is over; a thread that was not running then has fewer to show.
        while !over.load(Ordering::Relaxed) {
            (0..1024).for_each(|_| operation());
            operations += 1024;
            if first && start.elapsed() >= WINDOW {
                over.store(true, Ordering::Relaxed);
            }
        }
        (operations, start.elapsed())
    };
    let counted: Vec<_> = thread::scope(|scope| {
        let count = &count;
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || count(thread == 0)))
            .collect();
        let joined = running.into_iter().map(thread::ScopedJoinHandle::join);
        joined
            .map(|counts| counts.expect("counting does not panic"))
            .collect()
    });
    let longest = counted
        .iter()
        .map(|(_, taken)| *taken)
        .max()
        .unwrap_or(WINDOW);
    let all: u64 = counted.iter().map(|(operations, _)| operations).sum();
    all as f64 / longest.as_nanos() as f64
}

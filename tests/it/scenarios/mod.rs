//! The numbered scenarios: what the tests and the bug reports of other libraries ask of a breaker and of
//! a retry. A test's name begins with the number; `tests/scenarios.txt` says why a number has no test.

mod breaker;
mod budget;
mod compose;
mod coverage;
mod drops;
mod environment;
mod macros;
mod panics;
mod registry;
mod retry;
mod time;

use std::pin::Pin;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use error_runtime::{ApiError, Rejected};

/// What the guarded calls fail with.
#[derive(Clone, Debug, PartialEq, ApiError)]
pub(crate) enum Error {
    /// Retryable, and a failure to a breaker.
    #[api(status = 503)]
    Busy,
    /// The caller's mistake.
    #[api(status = 404)]
    Missing,
    /// Retryable, after a wait that the service may name.
    #[api(status = 429)]
    Later(#[api(retry_after)] Option<Duration>),
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

pub(crate) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// How often something happened.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU32);

impl Count {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Once more; the number of this time, from 1.
    pub(crate) fn up(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Polls a future once, with nobody to be woken.
pub(crate) fn poll_once<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

/// Runs so many threads, all let go at the same moment.
pub(crate) fn race(threads: usize, run: impl Fn(usize) + Sync) {
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (start, run) = (&start, &run);
            scope.spawn(move || {
                start.wait();
                run(thread);
            });
        }
    });
}

/// Pending once.
#[derive(Debug, Default)]
pub(crate) struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

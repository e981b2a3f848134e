//! A retry inside a retry multiplies calls: three times three is nine. A mark on the thread, set while
//! an attempt runs, tells the inner one to run once.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};

thread_local! {
    /// Without a destructor, so that it costs a load and a store.
    static IN_ATTEMPT: Cell<bool> = const { Cell::new(false) };
}

/// Whether this code runs within an attempt of a retry.
#[inline]
pub(super) fn in_attempt() -> bool {
    IN_ATTEMPT.get()
}

/// Sets the mark; goes back to what was before when dropped, also by a panic.
pub(super) struct Mark(bool);

impl Mark {
    #[inline]
    pub(super) fn set() -> Self {
        Self(IN_ATTEMPT.replace(true))
    }
}

impl Drop for Mark {
    #[inline]
    fn drop(&mut self) {
        IN_ATTEMPT.set(self.0);
    }
}

pin_project_lite::pin_project! {
    /// One attempt of a retry; the mark is set around each poll.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Attempt<F> {
        #[pin]
        op: F,
    }
}

impl<F> Attempt<F> {
    pub(super) fn new(op: F) -> Self {
        Self { op }
    }
}

impl<F: Future> Future for Attempt<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _mark = Mark::set();
        self.project().op.poll(context)
    }
}

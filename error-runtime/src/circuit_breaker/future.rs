//! A call that is a future.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::engine::Admission;
use super::judge::{ByClass, Judge, Verdict};
use super::{CircuitBreaker, FastCall, refused};
use crate::Outcome;
use crate::policy::{AcceptsRejected, IsResult};

pin_project_lite::pin_project! {
    /// The future of [`CircuitBreaker::call_async`].
    ///
    /// The circuit is asked when it is first polled. Dropped before it is ready it is neutral; a panic
    /// of the inner future is a failure and goes on.
    #[must_use = "futures do nothing unless polled"]
    pub struct BreakerFuture<'a, F, J = ByClass> {
        #[pin]
        op: F,
        breaker: &'a CircuitBreaker,
        state: State,
        judge: J,
    }

    impl<F, J> PinnedDrop for BreakerFuture<'_, F, J> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // The usual end first: one comparison instead of a table.
            if let State::Done = this.state {
                return;
            }
            match *this.state {
                State::Fast(word) => this.breaker.record_fast(word, Outcome::Neutral, None),
                State::Admitted(admission) => {
                    this.breaker.record(admission, Outcome::Neutral.into(), None);
                }
                State::New | State::Done => {}
            }
        }
    }
}

impl<F, J> fmt::Debug for BreakerFuture<'_, F, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerFuture")
            .field("breaker", &self.breaker.name())
            .finish_non_exhaustive()
    }
}

/// What a call that waits has to remember.
///
/// A hand-written state costs a nanosecond; nested async functions cost four.
#[derive(Clone, Copy)]
enum State {
    New,
    /// The breaker's word was all that the admission gave.
    Fast(u64),
    Admitted(Admission),
    Done,
}

/// Stands by while the inner future is polled: dropped only by its panic, which is a failure.
struct Polling<'a> {
    breaker: &'a CircuitBreaker,
    state: State,
}

impl Polling<'_> {
    fn record(&self, verdict: Verdict) {
        match self.state {
            State::Fast(word)
                if verdict.outcome == Outcome::Ok && self.breaker.engine.healthy_success(word) => {}
            State::Fast(word) => {
                self.breaker
                    .record_fast(word, verdict.outcome, verdict.code);
            }
            State::Admitted(admission) => self.breaker.record(admission, verdict, None),
            State::New | State::Done => {}
        }
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.record(Outcome::Trip.into());
    }
}

impl<'a, F, J> BreakerFuture<'a, F, J> {
    #[inline]
    pub(super) fn new(breaker: &'a CircuitBreaker, op: F, judge: J) -> Self {
        Self {
            op,
            breaker,
            state: State::New,
            judge,
        }
    }
}

impl<R, F, J> Future for BreakerFuture<'_, F, J>
where
    F: Future<Output = R>,
    J: Judge<R>,
    R: IsResult<Error: AcceptsRejected>,
{
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        let mut this = self.project();
        let breaker = *this.breaker;
        if let State::New = this.state
            && let Some(word) = breaker.unwatched_word()
        {
            let guard = FastCall { breaker, word };
            let Poll::Ready(result) = this.op.as_mut().poll(context) else {
                std::mem::forget(guard);
                *this.state = State::Fast(word);
                return Poll::Pending;
            };
            // Classified under the guard: a panic in there is a panic of the call.
            let verdict = this.judge.verdict(&result);
            std::mem::forget(guard);
            *this.state = State::Done;
            // What is told of a success is no more than that: the verdict itself stays in registers.
            match verdict.outcome {
                Outcome::Ok if breaker.engine.healthy_success(word) => {}
                outcome => breaker.record_fast(word, outcome, verdict.code),
            }
            return Poll::Ready(result);
        }
        poll_slow(this.op, breaker, this.state, this.judge, context)
    }
}

/// Every poll but the first of a call that a healthy breaker let pass.
#[inline(never)]
fn poll_slow<R, F, J>(
    op: Pin<&mut F>,
    breaker: &CircuitBreaker,
    state: &mut State,
    judge: &J,
    context: &mut Context<'_>,
) -> Poll<R>
where
    F: Future<Output = R>,
    J: Judge<R>,
    R: IsResult<Error: AcceptsRejected>,
{
    assert!(
        !matches!(state, State::Done),
        "a call behind a circuit breaker was polled after its end"
    );
    if let State::New = state {
        *state = match breaker.admit() {
            Ok(admission) => State::Admitted(admission),
            Err(open) => {
                *state = State::Done;
                return Poll::Ready(refused(open));
            }
        };
    }
    // While it is polled the guard alone answers for the call; then the future does again.
    let polling = Polling {
        breaker,
        state: std::mem::replace(state, State::Done),
    };
    let Poll::Ready(result) = op.poll(context) else {
        *state = polling.state;
        std::mem::forget(polling);
        return Poll::Pending;
    };
    let verdict = judge.verdict(&result);
    let polling = std::mem::ManuallyDrop::new(polling);
    polling.record(verdict);
    Poll::Ready(result)
}

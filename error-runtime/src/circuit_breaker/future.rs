//! A call that is a future.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::judge::{ByClass, Judge};
use super::{CircuitBreaker, PanicIsFailure, Permit, refused};
use crate::Outcome;
use crate::policy::{AcceptsRejected, IsResult};

pin_project_lite::pin_project! {
    /// The future of [`CircuitBreaker::call_async`].
    ///
    /// The circuit is asked when it is first polled. Dropped before it is ready it is neutral; a panic
    /// of the inner future is a failure and goes on.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct BreakerFuture<'a, F, J = ByClass> {
        #[pin]
        op: F,
        call: Call<'a>,
        judge: J,
    }
}

/// A hand-written state costs a nanosecond; nested async functions cost four.
#[derive(Debug)]
enum Call<'a> {
    New(&'a CircuitBreaker),
    /// The breaker was healthy; the word is all there is to remember.
    Fast(Running<'a>),
    Permitted(Permit<'a>),
    Done,
}

/// A healthy call on its way; dropped, it is neutral.
#[derive(Debug)]
struct Running<'a> {
    breaker: &'a CircuitBreaker,
    word: Option<u64>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(word) = self.word {
            self.breaker.record_fast(word, Outcome::Neutral.into());
        }
    }
}

/// Dropped only by a panic of the inner future.
struct Polling<'c, 'a>(&'c mut Call<'a>);

impl Drop for Polling<'_, '_> {
    fn drop(&mut self) {
        match std::mem::replace(self.0, Call::Done) {
            Call::Fast(mut running) => {
                if let Some(word) = running.word.take() {
                    running.breaker.record_fast(word, Outcome::Trip.into());
                }
            }
            Call::Permitted(permit) => drop(PanicIsFailure(Some(permit))),
            Call::New(_) | Call::Done => {}
        }
    }
}

impl<'a, F, J> BreakerFuture<'a, F, J> {
    #[inline]
    pub(super) fn new(breaker: &'a CircuitBreaker, op: F, judge: J) -> Self {
        Self {
            op,
            call: Call::New(breaker),
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
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Call::New(breaker) = *this.call {
            *this.call = match breaker.engine.fast_word() {
                Some(word) => Call::Fast(Running {
                    breaker,
                    word: Some(word),
                }),
                None => match breaker.try_acquire() {
                    Ok(permit) => Call::Permitted(permit),
                    Err(open) => {
                        *this.call = Call::Done;
                        return Poll::Ready(refused(open));
                    }
                },
            };
        }
        let polling = Polling(this.call);
        let polled = this.op.poll(context);
        // Classified under the guard: a panic in there is a panic of the call.
        let polled = polled.map(|result| {
            let verdict = this.judge.verdict(&result);
            (result, verdict)
        });
        let call = {
            let mut polling = std::mem::ManuallyDrop::new(polling);
            if polled.is_pending() {
                return Poll::Pending;
            }
            std::mem::replace(&mut *polling.0, Call::Done)
        };
        let (result, verdict) = ready!(polled);
        match call {
            Call::Fast(mut running) => {
                let word = running.word.take().filter(|word| {
                    verdict.outcome != Outcome::Ok || !running.breaker.engine.fast_success(*word)
                });
                if let Some(word) = word {
                    running.breaker.record_fast(word, verdict);
                }
            }
            Call::Permitted(permit) => permit.finish(verdict),
            Call::New(_) | Call::Done => {}
        }
        Poll::Ready(result)
    }
}

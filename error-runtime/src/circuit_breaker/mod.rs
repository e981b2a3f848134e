//! The circuit breaker: stops calling what fails, and finds out when it works again.

mod builder;
mod config;
mod engine;
mod events;
mod future;
#[cfg(all(test, error_runtime_shuttle))]
mod interleavings;
mod judge;
mod lease;
mod permit;
mod registry;
mod rejected;
mod site;
mod snapshot;
mod stripes;
mod window;
mod word;

pub use builder::{CircuitBreakerBuilder, ConstCircuitBreakerBuilder};
pub use events::{Transition, TransitionEvent};
pub use future::BreakerFuture;
pub use judge::{IntoVerdict, Verdict};
pub use permit::{OwnedPermit, Permit};
pub use registry::{BreakerHandle, Breakers, ConfigMismatch, UnknownBreaker};
pub use rejected::{CircuitOpen, Rejected, ServiceName};
pub use site::BreakerSite;
pub use snapshot::{BreakerSnapshot, TotalsSnapshot, WindowSnapshot};
pub use word::BreakerState;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::config::Given;
use self::engine::{Admission, Engine, Recorded, Refusal};
use self::events::Hooks;
use self::judge::{By, ByClass, Judge};
use crate::policy::{AcceptsRejected, IsResult};
use crate::report::{self, CallEvent, Told};
use crate::{Classify, Outcome};

/// A circuit breaker: calls pass while the service works, are refused while it does not, and a few
/// probes find out when it does again.
///
/// ```
/// use error_runtime::{ApiError, BreakerState, CircuitBreaker, Rejected};
/// use std::time::Duration;
///
/// #[derive(Debug, ApiError)]
/// enum StripeError {
///     #[api(status = 502)]
///     Down,
///     #[api(transparent)]
///     Rejected(#[from] Rejected),
/// }
///
/// let breaker = CircuitBreaker::builder("stripe").failures(2).recovery(Duration::from_secs(60)).build()?;
/// for _ in 0..2 {
///     let _ = breaker.call(|| Err::<(), _>(StripeError::Down));
/// }
/// assert_eq!(breaker.state(), BreakerState::Open);
/// let refused = breaker.call(|| Ok::<_, StripeError>("not run"));
/// assert!(matches!(refused, Err(StripeError::Rejected(Rejected::CircuitOpen(_)))));
/// # Ok::<(), error_runtime::ConfigError>(())
/// ```
///
/// The defaults: five failures in a row open the circuit (with `failure_rate` only the rate does), for
/// 60 seconds; then three probes at a time must succeed. A window is 100 calls, of which ten are needed.
///
/// A healthy call costs a few loads and one store to memory that no other thread touches. Results
/// belong to the episode that admitted the call: one that comes late changes nothing but a count. A call
/// that is dropped or cancelled is neutral; one that panics is a failure.
pub struct CircuitBreaker {
    engine: Engine,
    hooks: Hooks,
    /// Which keys its author gave, for the report of a mismatch.
    given: Given,
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", &self.hooks.service)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl CircuitBreaker {
    /// The breaker's name.
    pub fn name(&self) -> &str {
        &self.hooks.service
    }

    /// Runs a call if the circuit lets it pass, and records its result.
    ///
    /// # Errors
    ///
    /// The call's own error, or [`Rejected::CircuitOpen`] as `E`.
    #[inline]
    pub fn call<T, E, F>(&self, op: F) -> Result<T, E>
    where
        F: FnOnce() -> Result<T, E>,
        E: Classify + From<Rejected>,
    {
        self.call_judged(op, &ByClass)
    }

    /// The same, with one's own view of the result instead of [`Classify`].
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    #[inline]
    pub fn call_when<T, E, F, W, V>(&self, op: F, when: W) -> Result<T, E>
    where
        F: FnOnce() -> Result<T, E>,
        W: Fn(&Result<T, E>) -> V,
        V: IntoVerdict,
        E: From<Rejected>,
    {
        self.call_judged(op, &By(when))
    }

    #[expect(
        clippy::inline_always,
        reason = "a few loads and a store; a call costs more"
    )]
    #[inline(always)]
    fn call_judged<R, F, J>(&self, op: F, judge: &J) -> R
    where
        F: FnOnce() -> R,
        J: Judge<R>,
        R: IsResult<Error: AcceptsRejected>,
    {
        // A healthy breaker needs no permit: the word is all there is to remember.
        let Some(word) = self.unwatched_word() else {
            return self.call_slow(op, judge);
        };
        let guard = FastCall {
            breaker: self,
            word,
        };
        let result = op();
        let verdict = judge.verdict(&result);
        std::mem::forget(guard);
        // What is told of a success is no more than that: the verdict itself stays in registers.
        match verdict.outcome {
            Outcome::Ok if self.engine.healthy_success(word) => {}
            outcome => self.record_fast(word, outcome, verdict.code),
        }
        result
    }

    #[inline(never)]
    fn call_slow<R, F, J>(&self, op: F, judge: &J) -> R
    where
        F: FnOnce() -> R,
        J: Judge<R>,
        R: IsResult<Error: AcceptsRejected>,
    {
        if !report::is_observed()
            && let Some(word) = self.engine.ending_word()
        {
            let guard = FastCall {
                breaker: self,
                word,
            };
            let result = op();
            let verdict = judge.verdict(&result);
            std::mem::forget(guard);
            if verdict.outcome != Outcome::Ok || !self.engine.ending_success(word) {
                self.record_fast(word, verdict.outcome, verdict.code);
            }
            return result;
        }
        let admission = match self.admit() {
            Ok(admission) => admission,
            Err(open) => return refused(open),
        };
        let guard = PanicIsFailure {
            breaker: self,
            admission,
        };
        let result = op();
        let verdict = judge.verdict(&result);
        std::mem::forget(guard);
        self.record(admission, verdict, None);
        result
    }

    /// Runs a future if the circuit lets it pass when it is first polled, and records its result.
    pub fn call_async<T, E, F>(&self, op: F) -> BreakerFuture<'_, F>
    where
        F: Future<Output = Result<T, E>>,
        E: Classify + From<Rejected>,
    {
        BreakerFuture::new(self, op, ByClass)
    }

    /// The same, with one's own view of the result instead of [`Classify`].
    pub fn call_async_when<T, E, F, W, V>(
        &self,
        op: F,
        when: W,
    ) -> impl Future<Output = Result<T, E>>
    where
        F: Future<Output = Result<T, E>>,
        W: Fn(&Result<T, E>) -> V,
        V: IntoVerdict,
        E: From<Rejected>,
    {
        BreakerFuture::new(self, op, By(when))
    }

    /// Leave to make one call, or the reason why not. Dropped without a result it is neutral.
    ///
    /// # Errors
    ///
    /// If the circuit is open, or half-open with all probes taken.
    pub fn try_acquire(&self) -> Result<Permit<'_>, CircuitOpen> {
        Ok(Permit::new(self, self.admit()?))
    }

    /// The same for a permit that lives on its own.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    pub fn try_acquire_owned(self: &Arc<Self>) -> Result<OwnedPermit, CircuitOpen> {
        Ok(OwnedPermit::new(Arc::clone(self), self.admit()?))
    }

    #[expect(
        clippy::inline_always,
        reason = "a refusal is large, and would be moved once more"
    )]
    #[inline(always)]
    fn admit(&self) -> Result<Admission, CircuitOpen> {
        match self.engine.admit(&self.hooks) {
            Ok(admission) => {
                report::tell(Told::Admitted(self.call_event()));
                Ok(admission)
            }
            Err(Refusal(retry_after)) => {
                report::tell(Told::Rejected(self.call_event()));
                Err(CircuitOpen {
                    service: self.hooks.service.clone(),
                    retry_after,
                })
            }
        }
    }

    /// The word of a healthy breaker, if nobody is to be told of its calls.
    #[inline]
    fn unwatched_word(&self) -> Option<u64> {
        if report::is_observed() {
            return None;
        }
        self.engine.healthy_word()
    }

    fn record(&self, admission: Admission, verdict: Verdict, elapsed: Option<Duration>) {
        let elapsed = elapsed.map(crate::time::nanos);
        self.record_told(admission, verdict.outcome, elapsed, verdict.code);
    }

    fn record_told(
        &self,
        admission: Admission,
        outcome: Outcome,
        elapsed: Option<u64>,
        code: Option<&'static str>,
    ) {
        let recorded = self
            .engine
            .record(admission, outcome, elapsed, code, &self.hooks);
        let event = CallEvent {
            service: &self.hooks.service,
            code,
        };
        let Recorded::Counted { slow } = recorded else {
            return;
        };
        if slow {
            report::tell(Told::Slow(event));
        }
        match outcome {
            Outcome::Ok => report::tell(Told::Success(event)),
            Outcome::Trip => report::tell(Told::Failure(event)),
            Outcome::Neutral => {}
        }
    }

    /// Of a call that has no result yet.
    fn call_event(&self) -> CallEvent<'_> {
        CallEvent {
            service: &self.hooks.service,
            code: None,
        }
    }

    #[cold]
    fn record_fast(&self, word: u64, outcome: Outcome, code: Option<&'static str>) {
        // A verdict as a whole would be passed in memory, and every call would write it there first.
        self.record_told(Admission::of_word(word), outcome, None, code);
    }

    /// The state as of now. Asking changes nothing: an open circuit whose recovery has passed is open
    /// until a call comes; [`snapshot`](Self::snapshot) says whether one would be let through.
    pub fn state(&self) -> BreakerState {
        self.engine.state()
    }

    /// All numbers of the breaker, as of one moment.
    pub fn snapshot(&self) -> BreakerSnapshot {
        BreakerSnapshot::new(self)
    }

    /// The last transitions, oldest first; at most 64.
    pub fn history(&self) -> Vec<Transition> {
        self.engine.history()
    }

    /// Closes the circuit with an empty window, whatever the state. Totals stay.
    pub fn reset(&self) {
        self.engine.close(&self.hooks);
    }

    /// Ends what [`force_open`](Self::force_open), [`disable`](Self::disable) or
    /// [`metrics_only`](Self::metrics_only) has ordered: closed with an empty window.
    pub fn automatic(&self) {
        self.engine.close(&self.hooks);
    }

    /// Refuses all calls, for good or for a time; after that, probes decide.
    pub fn force_open(&self, time: impl Into<Option<Duration>>) {
        self.engine.force_open(time.into(), &self.hooks);
    }

    /// Lets all calls pass and measures nothing but totals.
    pub fn disable(&self) {
        self.engine.pass(BreakerState::Disabled, &self.hooks);
    }

    /// Lets all calls pass and measures, without ever opening.
    pub fn metrics_only(&self) {
        self.engine.pass(BreakerState::MetricsOnly, &self.hooks);
    }
}

/// The result of a call that did not happen.
fn refused<R: IsResult<Error: AcceptsRejected>>(open: CircuitOpen) -> R {
    R::from_result(Err(R::Error::from_rejected(open.into())))
}

/// Stands by while a healthy call runs: dropped only by a panic, which is a failure.
struct FastCall<'a> {
    breaker: &'a CircuitBreaker,
    word: u64,
}

impl Drop for FastCall<'_> {
    fn drop(&mut self) {
        self.breaker.record_fast(self.word, Outcome::Trip, None);
    }
}

/// The same for a call that had to be admitted.
struct PanicIsFailure<'a> {
    breaker: &'a CircuitBreaker,
    admission: Admission,
}

impl Drop for PanicIsFailure<'_> {
    fn drop(&mut self) {
        self.breaker
            .record(self.admission, Outcome::Trip.into(), None);
    }
}

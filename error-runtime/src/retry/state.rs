//! One call that is retried: what it has to remember, and every decision about the next attempt.
//!
//! Not generic, so that the loop around it, which is, stays small.

use std::ops::ControlFlow;
use std::time::Duration;

use super::backoff::Backoff;
use super::budget::Paid;
use super::event::{RetryReport, RetryStop};
use super::nested::{self, Attempt, Mark};
use super::policy::Core;
use crate::policy::IsResult;
use crate::report::{self, RetriedEvent, RetryResult, Told};
use crate::time::{Clock, Sleep};
use crate::timeout::Timeout;
use crate::{Classification, Classify};

/// The state of one call. Dropped in the middle of an attempt or a wait, it gives back what it paid.
#[derive(Debug)]
pub struct Retry<'p> {
    core: &'p Core,
    /// By the clock; only with a deadline.
    started: u64,
    /// Nothing before the first failure: a call that succeeds at once writes next to nothing.
    failed: Option<Failed>,
}

/// What a call remembers from its first failure on.
#[derive(Debug)]
struct Failed {
    backoff: Backoff,
    waited: u64,
    /// The number of the attempt that runs, from 1.
    attempt: u32,
    stop: RetryStop,
    /// The attempt that runs, or the wait for it, has taken from the budget.
    paid: Option<Paid>,
}

/// The wait before the next attempt.
#[derive(Debug)]
pub struct Wait<'p> {
    clock: &'p Clock,
    nanos: u64,
}

impl Wait<'_> {
    /// As a future.
    #[inline]
    pub fn sleep(self) -> Sleep {
        Sleep::new(self.clock, self.nanos)
    }

    /// On this thread.
    #[inline]
    pub fn block(self) {
        self.clock.block(self.nanos);
    }
}

impl<'p> Retry<'p> {
    /// A call begins.
    #[expect(clippy::inline_always, reason = "as at the site of an attribute")]
    #[inline(always)]
    pub(crate) fn start(core: &'p Core) -> Self {
        Self {
            core,
            started: if core.is_plain { 0 } else { core.begin() },
            failed: None,
        }
    }

    /// Whether an attempt could follow the one that comes now.
    #[cfg(feature = "tower")]
    pub(crate) fn has_more(&self) -> bool {
        let attempt = self.failed.as_ref().map_or(1, |failed| failed.attempt);
        attempt < self.core.config.attempts
    }

    /// Runs one attempt.
    #[inline]
    pub fn run<R>(&self, op: impl FnOnce() -> R) -> R {
        let _mark = Mark::set();
        op()
    }

    /// Makes a future one attempt.
    #[inline]
    pub fn attempt<F>(&self, op: F) -> Attempt<F> {
        Attempt::new(op)
    }

    /// The same with a limit of time: the attempt's own, or what is left of the deadline.
    #[inline]
    pub fn limited<F>(&self, op: F) -> Attempt<Timeout<'p, F>> {
        let own = self.core.config.attempt_timeout.unwrap_or(u64::MAX);
        let left = match self.core.config.deadline {
            Some(deadline) => deadline.saturating_sub(self.elapsed()),
            None => u64::MAX,
        };
        Attempt::new(Timeout::new(&self.core.clock, own.min(left), op))
    }

    fn elapsed(&self) -> u64 {
        self.core.clock.nanos().saturating_sub(self.started)
    }

    /// What follows an attempt: the result for good, or a wait and another.
    #[inline]
    pub fn after<R>(&mut self, result: R) -> ControlFlow<R, Wait<'p>>
    where
        R: IsResult,
        R::Error: Classify,
    {
        self.after_when(result, R::Error::classify)
    }

    /// The same with one's own classification.
    #[inline]
    pub fn after_when<R: IsResult>(
        &mut self,
        result: R,
        classify: impl FnOnce(&R::Error) -> Classification,
    ) -> ControlFlow<R, Wait<'p>> {
        self.after_judged(result, |result| result.error().map(classify))
    }

    /// The same for any answer, of which a closure says whether it is a failure.
    #[inline]
    pub(crate) fn after_judged<R>(
        &mut self,
        result: R,
        judge: impl FnOnce(&R) -> Option<Classification>,
    ) -> ControlFlow<R, Wait<'p>> {
        let Some(failure) = judge(&result) else {
            self.succeeded();
            return ControlFlow::Break(result);
        };
        let verdict = match failure {
            Classification { rejected: true, .. } => Err(RetryStop::Rejected),
            Classification {
                retryable: true, ..
            } => Ok(()),
            _ => Err(RetryStop::NotRetryable),
        };
        match self.next(verdict, failure.retry_after, failure.code) {
            Some(wait) => ControlFlow::Continue(wait),
            None => ControlFlow::Break(result),
        }
    }

    #[inline]
    fn succeeded(&mut self) {
        if report::is_retry_observed() {
            self.tell_success();
        }
        if !self.core.is_plain {
            self.core
                .succeeded(self.failed.as_mut().map(|failed| &mut failed.paid));
        }
    }

    #[cold]
    fn tell_success(&self) {
        let (result, attempts) = match &self.failed {
            Some(failed) => (RetryResult::AfterRetry, failed.attempt),
            None => (RetryResult::FirstTry, 1),
        };
        report::tell(Told::Retried(RetriedEvent {
            operation: &self.core.operation,
            result,
            attempts,
            code: None,
        }));
    }

    /// The wait after a failure, if another attempt follows. What it is told fits into registers.
    #[inline(never)]
    fn next(
        &mut self,
        verdict: Result<(), RetryStop>,
        hint: Option<Duration>,
        error_code: Option<&'static str>,
    ) -> Option<Wait<'p>> {
        // Apart, so that a retry without a delay saves no registers for the rest.
        if verdict.is_ok() && hint.is_none() && self.core.is_immediate() && !report::is_watched() {
            self.at_once()
        } else {
            self.next_delayed(verdict, hint, error_code)
        }
    }

    /// What a call remembers, from now on.
    #[inline]
    fn failed(&mut self) -> &mut Failed {
        let core = self.core;
        self.failed.get_or_insert_with(|| Failed {
            backoff: Backoff::new(&core.config, core),
            waited: 0,
            attempt: 1,
            stop: RetryStop::NotRetryable,
            paid: None,
        })
    }

    /// Where there is nothing to wait for or to pay, and nobody to tell: no observer and no edge in this
    /// process.
    #[inline]
    fn at_once(&mut self) -> Option<Wait<'p>> {
        let core = self.core;
        let failed = self.failed();
        if let Err(stop) = failed.may_go_on(core) {
            failed.stop = stop;
            return None;
        }
        failed.attempt += 1;
        Some(Wait {
            clock: &core.clock,
            nanos: 0,
        })
    }

    #[inline(never)]
    fn next_delayed(
        &mut self,
        verdict: Result<(), RetryStop>,
        hint: Option<Duration>,
        error_code: Option<&'static str>,
    ) -> Option<Wait<'p>> {
        let (core, started) = (self.core, self.started);
        let failed = self.failed();
        // The attempt has failed, so what it was paid with is spent.
        failed.paid = None;
        let delay = match verdict {
            Ok(()) => failed.delay(core, started, hint),
            Err(stop) => Err(stop),
        };
        let nanos = match delay {
            Ok(nanos) => nanos,
            Err(stop) => {
                failed.stop = stop;
                core.tell_end(failed.attempt, stop, error_code);
                return None;
            }
        };
        if core.hook.is_some() || report::is_retry_observed() {
            core.tell_retry(failed.attempt, nanos, error_code);
        }
        failed.attempt += 1;
        failed.waited = failed.waited.saturating_add(nanos);
        Some(Wait {
            clock: &core.clock,
            nanos,
        })
    }

    /// How it went, once it is over.
    pub(super) fn report(&self, succeeded: bool) -> RetryReport {
        let (attempts, waited, stop) = match &self.failed {
            Some(failed) => (failed.attempt, failed.waited, failed.stop),
            None => (1, 0, RetryStop::Succeeded),
        };
        let stop = if succeeded {
            RetryStop::Succeeded
        } else {
            stop
        };
        RetryReport {
            attempts,
            waited: Duration::from_nanos(waited),
            stop,
        }
    }
}

impl Failed {
    /// Whether the rules allow a further attempt, whatever it costs.
    #[inline]
    fn may_go_on(&self, core: &Core) -> Result<(), RetryStop> {
        if self.attempt >= core.config.attempts {
            return Err(RetryStop::Exhausted);
        }
        if !core.config.nested && nested::in_attempt() {
            return Err(RetryStop::Nested);
        }
        Ok(())
    }

    /// How long to wait, or why there is no further attempt. What is sure is asked first, what costs
    /// last: a budget is only taken from when the attempt will be made.
    #[inline]
    fn delay(
        &mut self,
        core: &Core,
        started: u64,
        hint: Option<Duration>,
    ) -> Result<u64, RetryStop> {
        self.may_go_on(core)?;
        let config = &core.config;
        let mut nanos = self.backoff.next(config);
        if let Some(hint) = hint {
            let hint = crate::time::nanos(hint);
            if hint > config.max_retry_after {
                return Err(RetryStop::RetryAfter);
            }
            nanos = nanos.max(hint);
        }
        if let Some(deadline) = config.deadline {
            let elapsed = core.clock.nanos().saturating_sub(started);
            if elapsed.saturating_add(nanos) >= deadline {
                return Err(RetryStop::Deadline);
            }
        }
        if let Some(budget) = &core.budget {
            self.paid = Some(budget.take().ok_or(RetryStop::Budget)?);
        }
        Ok(nanos)
    }
}

impl Drop for Retry<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.core.is_plain
            && let Some(Failed {
                paid: Some(paid), ..
            }) = &self.failed
            && let Some(budget) = &self.core.budget
        {
            budget.refund(*paid);
        }
    }
}

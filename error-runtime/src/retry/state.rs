//! One call that is retried: what it has to remember, and every decision about the next attempt.
//!
//! Not generic, so that the loop around it, which is, stays small.

use std::ops::ControlFlow;
use std::time::Duration;

use super::backoff::Backoff;
use super::event::{RetryEvent, RetryReport, RetryStop};
use super::nested::{self, Attempt, Mark};
use super::policy::Core;
use crate::policy::IsResult;
use crate::time::{Clock, Sleep};
use crate::timeout::Timeout;
use crate::{Classification, Classify};

/// The state of one call. Dropped in the middle of an attempt or a wait, it gives back what it paid.
#[derive(Debug)]
pub struct Retry<'p> {
    core: &'p Core,
    /// Begun by the first failure.
    backoff: Option<Backoff>,
    /// By the clock; only with a deadline.
    started: u64,
    waited: u64,
    /// The number of the attempt that runs, from 1.
    attempt: u32,
    stop: RetryStop,
    /// It runs inside another retry, which does the retrying.
    suppressed: bool,
    /// The attempt that runs, or the wait for it, has taken from the budget.
    paid: bool,
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
    #[inline]
    pub(super) fn start(core: &'p Core) -> Self {
        if let Some(budget) = &core.budget {
            budget.call();
        }
        Self {
            core,
            backoff: None,
            started: match core.config.deadline {
                Some(_) => core.clock.nanos(),
                None => 0,
            },
            waited: 0,
            attempt: 1,
            stop: RetryStop::Succeeded,
            suppressed: !core.config.nested && nested::in_attempt(),
            paid: false,
        }
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
        let Some(error) = result.error() else {
            if let Some(budget) = &self.core.budget {
                self.paid = false;
                budget.reward(self.attempt > 1);
            }
            return ControlFlow::Break(result);
        };
        let classification = classify(error);
        match self.next(&classification) {
            Ok(wait) => ControlFlow::Continue(wait),
            Err(stop) => {
                self.stop = stop;
                ControlFlow::Break(result)
            }
        }
    }

    /// The wait after a failure, or why there is none.
    fn next(&mut self, failure: &Classification) -> Result<Wait<'p>, RetryStop> {
        let (core, config) = (self.core, &self.core.config);
        // The attempt has failed, so what it was paid with is spent.
        self.paid = false;
        if failure.rejected {
            return Err(RetryStop::Rejected);
        }
        if !failure.retryable {
            return Err(RetryStop::NotRetryable);
        }
        if self.attempt >= config.attempts {
            return Err(RetryStop::Exhausted);
        }
        if self.suppressed {
            return Err(RetryStop::Nested);
        }
        let backoff = self
            .backoff
            .get_or_insert_with(|| Backoff::new(config, core.seed()));
        let mut nanos = backoff.next(config);
        if let Some(hint) = failure.retry_after {
            let hint = crate::time::nanos(hint);
            if hint > config.max_retry_after {
                return Err(RetryStop::RetryAfter);
            }
            nanos = nanos.max(hint);
        }
        if let Some(deadline) = config.deadline
            && self.elapsed().saturating_add(nanos) >= deadline
        {
            return Err(RetryStop::Deadline);
        }
        if let Some(budget) = &core.budget {
            if !budget.take() {
                return Err(RetryStop::Budget);
            }
            self.paid = true;
        }
        if let Some(hook) = &core.hook {
            hook.run(&RetryEvent {
                operation: &core.operation,
                attempt: self.attempt,
                delay: Duration::from_nanos(nanos),
                code: failure.code,
            });
        }
        self.attempt += 1;
        self.waited = self.waited.saturating_add(nanos);
        Ok(Wait {
            clock: &core.clock,
            nanos,
        })
    }

    /// How it went, once it is over.
    pub(super) fn report(&self) -> RetryReport {
        RetryReport {
            attempts: self.attempt,
            waited: Duration::from_nanos(self.waited),
            stop: self.stop,
        }
    }
}

impl Drop for Retry<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.paid
            && let Some(budget) = &self.core.budget
        {
            budget.refund();
        }
    }
}

//! A retry for use without macros, and what it is built from.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::backoff::Delays;
use super::budget::{Paid, RetryBudget};
use super::config::{Config, Settings};
use super::event::{Hook, RetryEvent, RetryReport, RetryStop};
use super::jitter::Jitter;
use super::state::Retry;
use crate::policy::overrides::{self, Kind, Value};
use crate::report::{self, RetriedEvent, Told};
use crate::time::Clock;
use crate::{Classification, Classify, ConfigError, Outcome, Rejected};

/// Calls again what failed, as long as the error says that it may help.
///
/// ```
/// use error_runtime::{ApiError, RetryPolicy};
/// use std::time::Duration;
///
/// #[derive(Debug, ApiError)]
/// enum MailError {
///     #[api(status = 503)] // a 503 is retryable
///     Busy,
/// }
///
/// let policy = RetryPolicy::builder().attempts(4).base(Duration::ZERO).build()?;
/// let mut calls = 0;
/// let sent = policy.call(|| {
///     calls += 1;
///     if calls < 3 { Err(MailError::Busy) } else { Ok("sent") }
/// });
/// assert_eq!((sent.unwrap(), calls), ("sent", 3));
/// # Ok::<(), error_runtime::ConfigError>(())
/// ```
///
/// The defaults: three calls in all; delays that begin at one second and double, up to 60 s, of which
/// chance takes its share ([`Jitter::Full`]). A delay is raised to the wait that the error asks for; one
/// beyond `max_retry_after` (default `max`) ends the retrying. The last error is returned as it is.
///
/// A rejection by another policy (an open circuit, a full bulkhead) is not retried. Inside another retry
/// it runs once, so that attempts do not multiply. Before the first failure nothing is allocated, and no
/// clock is read unless a deadline or a limit for each attempt is set.
///
/// `L` says whether each attempt has a limit of time: see [`RetryPolicyBuilder::attempt_timeout`].
pub struct RetryPolicy<L = NoAttemptTimeout> {
    core: Core,
    limit: PhantomData<fn() -> L>,
}

/// An attempt may take as long as it does.
#[derive(Clone, Copy, Debug)]
pub enum NoAttemptTimeout {}

/// An attempt that takes too long is given up, as [`Rejected::Timeout`].
#[derive(Clone, Copy, Debug)]
pub enum WithAttemptTimeout {}

/// All of a policy, but whether attempts are limited.
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(super) operation: Cow<'static, str>,
    pub(super) budget: Option<RetryBudget>,
    pub(super) hook: Option<Hook>,
    pub(super) clock: Clock,
    /// Neither a budget nor a deadline: a call that succeeds at once has nothing to do.
    pub(super) is_plain: bool,
    seed: Option<u64>,
    /// How many calls the seed has served; each has delays of its own.
    served: AtomicU64,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("operation", &self.operation)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Core {
    /// A call begins: the time, where it will be asked for.
    #[inline(never)]
    pub(super) fn begin(&self) -> u64 {
        if let Some(budget) = &self.budget {
            budget.call();
        }
        match self.config.deadline {
            Some(_) => self.clock.nanos(),
            None => 0,
        }
    }

    /// A call has succeeded, by a retry or at once.
    #[inline(never)]
    pub(super) fn succeeded(&self, paid: Option<&mut Option<Paid>>) {
        let by_retry = paid.is_some();
        if let Some(paid) = paid {
            *paid = None;
        }
        if let Some(budget) = &self.budget {
            budget.reward(by_retry);
        }
    }

    const fn is_plain(config: &Config, budget: Option<&RetryBudget>) -> bool {
        config.deadline.is_none() && budget.is_none()
    }

    /// Tells those who watch that another attempt will follow.
    #[cold]
    pub(super) fn tell_retry(&self, attempt: u32, nanos: u64, code: Option<&'static str>) {
        let event = RetryEvent {
            operation: &self.operation,
            attempt,
            delay: Duration::from_nanos(nanos),
            code,
        };
        if let Some(hook) = &self.hook {
            hook.run(&event);
        }
        report::tell(Told::Retry(&event));
    }

    /// Tells those who watch that there will be none.
    #[cold]
    #[inline(never)]
    pub(super) fn tell_end(&self, attempts: u32, stop: RetryStop, code: Option<&'static str>) {
        report::tell(Told::Retried(RetriedEvent {
            operation: &self.operation,
            result: stop.result(),
            attempts,
            code,
        }));
    }

    /// Whether a further attempt follows at once, and nobody pays for it or is told of it.
    #[inline]
    pub(super) fn is_immediate(&self) -> bool {
        self.is_plain && self.config.base == 0 && self.hook.is_none()
    }

    /// Where the chance of one call begins.
    #[inline]
    pub(super) fn seed(&self) -> u64 {
        match self.seed {
            Some(seed) => mix(seed, self.served.fetch_add(1, Ordering::Relaxed)),
            None => super::jitter::seed(),
        }
    }
}

/// Of an error that says nothing but this.
fn retryable(retryable: bool) -> Classification {
    Classification::new(retryable, Outcome::Trip)
}

/// Two numbers into one that looks like neither (the last step of splitmix64).
const fn mix(seed: u64, number: u64) -> u64 {
    let mut mixed = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl<L> fmt::Debug for RetryPolicy<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(f)
    }
}

/// A clone shares budget, hook and clock; with a seed its delays are others than the original's.
impl<L> Clone for RetryPolicy<L> {
    fn clone(&self) -> Self {
        Self {
            core: Core {
                config: self.core.config,
                operation: self.core.operation.clone(),
                budget: self.core.budget.clone(),
                hook: self.core.hook.clone(),
                clock: self.core.clock.clone(),
                is_plain: self.core.is_plain,
                seed: self.core.seed.map(|_| self.core.seed()),
                served: AtomicU64::new(0),
            },
            limit: PhantomData,
        }
    }
}

impl<L> RetryPolicy<L> {
    /// The delays of one call, if every attempt failed and no error asked for a wait. Each time it is
    /// asked chance decides anew.
    pub fn delays(&self) -> Delays<'_> {
        Delays::new(&self.core)
    }

    /// How many calls are made in all.
    pub fn attempts(&self) -> u32 {
        self.core.config.attempts
    }

    #[cfg(feature = "tower")]
    pub(crate) fn into_core(self) -> Core {
        self.core
    }

    /// A call begins; for those who write the loop themselves.
    fn start(&self) -> Retry<'_> {
        Retry::start(&self.core)
    }
}

impl RetryPolicy {
    /// A policy, to be given its rules.
    pub const fn builder() -> RetryPolicyBuilder {
        RetryPolicyBuilder {
            settings: Settings::NONE,
            operation: Cow::Borrowed(""),
            budget: None,
            hook: None,
            clock: Clock::SYSTEM,
            seed: None,
            limit: PhantomData,
        }
    }

    /// The same for a `static`.
    pub const fn const_builder() -> ConstRetryPolicyBuilder {
        ConstRetryPolicyBuilder {
            settings: Settings::NONE,
            limit: PhantomData,
        }
    }

    /// Calls until it succeeds or may not be tried again. Waits on this thread.
    ///
    /// # Errors
    ///
    /// The last call's.
    #[inline]
    pub fn call<T, E: Classify>(&self, op: impl FnMut() -> Result<T, E>) -> Result<T, E> {
        self.call_with_report(op).0
    }

    /// The same, and how it went.
    #[inline]
    pub fn call_with_report<T, E: Classify>(
        &self,
        mut op: impl FnMut() -> Result<T, E>,
    ) -> (Result<T, E>, RetryReport) {
        let mut retry = self.start();
        loop {
            match retry.after(retry.run(&mut op)) {
                ControlFlow::Break(result) => {
                    let report = retry.report(result.is_ok());
                    return (result, report);
                }
                ControlFlow::Continue(wait) => wait.block(),
            }
        }
    }

    /// The same, with one's own view of which errors are worth another attempt, instead of [`Classify`].
    ///
    /// # Errors
    ///
    /// The last call's.
    pub fn call_when<T, E>(
        &self,
        mut op: impl FnMut() -> Result<T, E>,
        when: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        let mut retry = self.start();
        loop {
            match retry.after_when(retry.run(&mut op), |error| retryable(when(error))) {
                ControlFlow::Break(result) => return result,
                ControlFlow::Continue(wait) => wait.block(),
            }
        }
    }

    /// [`call_async`](Self::call_async), with one's own view of which errors are worth another attempt.
    ///
    /// # Errors
    ///
    /// The last call's.
    pub async fn call_async_when<T, E, F>(
        &self,
        mut op: impl FnMut() -> F,
        when: impl Fn(&E) -> bool,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let mut retry = self.start();
        loop {
            let future = retry.run(&mut op);
            let result = retry.attempt(future).await;
            match retry.after_when(result, |error| retryable(when(error))) {
                ControlFlow::Break(result) => return result,
                ControlFlow::Continue(wait) => wait.sleep().await,
            }
        }
    }

    /// Awaits the futures that `op` makes, one for each attempt, until one succeeds or may not be
    /// tried again. `op` is called when the future is polled, and again only after the wait.
    ///
    /// # Errors
    ///
    /// The last call's.
    pub async fn call_async<T, E, F>(&self, op: impl FnMut() -> F) -> Result<T, E>
    where
        E: Classify,
        F: Future<Output = Result<T, E>>,
    {
        self.call_async_with_report(op).await.0
    }

    /// The same, and how it went.
    pub async fn call_async_with_report<T, E, F>(
        &self,
        mut op: impl FnMut() -> F,
    ) -> (Result<T, E>, RetryReport)
    where
        E: Classify,
        F: Future<Output = Result<T, E>>,
    {
        let mut retry = self.start();
        loop {
            let future = retry.run(&mut op);
            let result = retry.attempt(future).await;
            match retry.after(result) {
                ControlFlow::Break(result) => {
                    let report = retry.report(result.is_ok());
                    return (result, report);
                }
                ControlFlow::Continue(wait) => wait.sleep().await,
            }
        }
    }
}

impl RetryPolicy<WithAttemptTimeout> {
    /// Awaits the futures that `op` makes, one for each attempt, until one succeeds or may not be
    /// tried again.
    ///
    /// # Errors
    ///
    /// The last call's, or [`Rejected::Timeout`] as `E` if it took too long.
    pub async fn call_async<T, E, F>(&self, op: impl FnMut() -> F) -> Result<T, E>
    where
        E: Classify + From<Rejected>,
        F: Future<Output = Result<T, E>>,
    {
        self.call_async_with_report(op).await.0
    }

    /// The same, and how it went.
    pub async fn call_async_with_report<T, E, F>(
        &self,
        mut op: impl FnMut() -> F,
    ) -> (Result<T, E>, RetryReport)
    where
        E: Classify + From<Rejected>,
        F: Future<Output = Result<T, E>>,
    {
        let mut retry = self.start();
        loop {
            let future = retry.run(&mut op);
            let result = retry.limited(future).await;
            match retry.after(result) {
                ControlFlow::Break(result) => {
                    let report = retry.report(result.is_ok());
                    return (result, report);
                }
                ControlFlow::Continue(wait) => wait.sleep().await,
            }
        }
    }
}

/// Builds a [`RetryPolicy`]; see there for the defaults.
#[derive(Clone, Debug)]
pub struct RetryPolicyBuilder<L = NoAttemptTimeout> {
    settings: Settings,
    operation: Cow<'static, str>,
    budget: Option<RetryBudget>,
    hook: Option<Hook>,
    clock: Clock,
    seed: Option<u64>,
    limit: PhantomData<fn() -> L>,
}

/// Builds a `static` [`RetryPolicy`]; a mistake is a compile error.
///
/// ```
/// use error_runtime::RetryPolicy;
/// static TWICE: RetryPolicy = RetryPolicy::const_builder().attempts(2).build_const();
/// assert_eq!(TWICE.attempts(), 2);
/// ```
///
/// ```compile_fail
/// use error_runtime::RetryPolicy;
/// static NEVER: RetryPolicy = RetryPolicy::const_builder().attempts(0).build_const();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ConstRetryPolicyBuilder<L = NoAttemptTimeout> {
    settings: Settings,
    limit: PhantomData<fn() -> L>,
}

/// One method per rule, for both builders.
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident: $ty:ty;)*) => {
        impl<L> RetryPolicyBuilder<L> {$(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $name: $ty) -> Self {
                self.settings.$name = Some($name);
                self
            }
        )*}

        impl<L> ConstRetryPolicyBuilder<L> {$(
            $(#[$doc])*
            #[must_use]
            pub const fn $name(mut self, $name: $ty) -> Self {
                self.settings.$name = Some($name);
                self
            }
        )*}
    };
}

rules! {
    /// How many calls in all, the first one too. Default 3.
    attempts: u32;
    /// The first delay. Default 1 s.
    base: Duration;
    /// Each delay is so many times longer than the one before. Default 2.
    factor: f64;
    /// The longest delay, whatever chance adds. Default 60 s.
    max: Duration;
    /// How chance changes the delays. Default [`Jitter::Full`].
    jitter: Jitter;
    /// The longest that it takes in all, attempts included: a wait that would reach it is not begun,
    /// and the last error returns at once. Default without end.
    deadline: Duration;
    /// The longest wait that an error may ask for; a longer one ends the retrying. Default `max`.
    max_retry_after: Duration;
    /// Whether it also retries inside another retry. Default false.
    nested: bool;
}

impl<L> RetryPolicyBuilder<L> {
    /// What is retried, for hooks and for settings from the environment. Default nameless.
    #[must_use]
    pub fn operation(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.operation = operation.into();
        self
    }

    /// What retries are paid from. Default without limit.
    #[must_use]
    pub fn budget(mut self, budget: impl Into<RetryBudget>) -> Self {
        self.budget = Some(budget.into());
        self
    }

    /// Calls `hook` before each wait: outside of all locks; a panic in it harms nobody.
    #[must_use]
    pub fn on_retry(mut self, hook: impl Fn(&RetryEvent<'_>) + Send + Sync + 'static) -> Self {
        self.hook = Some(Hook::Closure(Arc::new(hook)));
        self
    }

    /// Makes chance repeatable: two policies with one seed have the same delays, call by call.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Takes the time from another clock, waits included.
    #[must_use]
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = clock.into();
        self
    }

    /// Gives up an attempt that takes longer than this, or than what is left of the deadline. The
    /// error type must then have a value for [`Rejected::Timeout`].
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> RetryPolicyBuilder<WithAttemptTimeout> {
        self.settings.attempt_timeout = Some(timeout);
        RetryPolicyBuilder {
            settings: self.settings,
            operation: self.operation,
            budget: self.budget,
            hook: self.hook,
            clock: self.clock,
            seed: self.seed,
            limit: PhantomData,
        }
    }

    /// The policy. Settings from the environment come first: those for its `operation`, and those for all.
    ///
    /// # Errors
    ///
    /// If a rule is out of range or contradicts another.
    pub fn build(self) -> Result<RetryPolicy<L>, ConfigError> {
        let declared = self.settings.check()?;
        let mut core = Core {
            is_plain: Core::is_plain(&declared, self.budget.as_ref()),
            config: declared,
            operation: self.operation,
            budget: self.budget,
            hook: self.hook,
            clock: self.clock,
            seed: self.seed,
            served: AtomicU64::new(0),
        };
        core.override_from_environment(self.settings);
        Ok(RetryPolicy {
            core,
            limit: PhantomData,
        })
    }
}

impl<L> ConstRetryPolicyBuilder<L> {
    /// Gives up an attempt that takes longer than this, or than what is left of the deadline.
    #[must_use]
    pub const fn attempt_timeout(
        mut self,
        timeout: Duration,
    ) -> ConstRetryPolicyBuilder<WithAttemptTimeout> {
        self.settings.attempt_timeout = Some(timeout);
        ConstRetryPolicyBuilder {
            settings: self.settings,
            limit: PhantomData,
        }
    }

    /// The policy.
    ///
    /// # Panics
    ///
    /// If a rule is out of range or contradicts another; in a `static` that is a compile error.
    pub const fn build_const(self) -> RetryPolicy<L> {
        let config = match self.settings.check() {
            Ok(config) => config,
            Err(error) => panic!("{}", error.reason),
        };
        RetryPolicy {
            core: Core {
                config,
                operation: Cow::Borrowed(""),
                budget: None,
                hook: None,
                clock: Clock::SYSTEM,
                is_plain: Core::is_plain(&config, None),
                seed: None,
                served: AtomicU64::new(0),
            },
            limit: PhantomData,
        }
    }

    pub(super) const fn settings(self) -> Settings {
        self.settings
    }
}

impl Core {
    /// The policy of an attribute, made at its first use.
    pub(super) fn of_attribute(
        settings: Settings,
        operation: &'static str,
        budget: Option<&'static str>,
        hook: Option<fn(&RetryEvent<'_>)>,
    ) -> Self {
        // The attribute has checked its rules when it was compiled.
        let config = settings.check().unwrap_or(Config::DEFAULT);
        let mut core = Self {
            config,
            operation: Cow::Borrowed(operation),
            budget: budget.map(RetryBudget::named),
            hook: hook.map(Hook::Function),
            clock: Clock::SYSTEM,
            is_plain: false,
            seed: None,
            served: AtomicU64::new(0),
        };
        core.override_from_environment(settings);
        core
    }

    fn override_from_environment(&mut self, declared: Settings) {
        let settings = overrides::settle(
            Kind::Retry,
            &self.operation,
            declared,
            Settings::apply,
            Settings::check,
        );
        self.config = settings.check().unwrap_or(self.config);
        let mut budget = None;
        overrides::each(Kind::Retry, &self.operation, |key, value| {
            if let ("BUDGET", Value::Text(name)) = (key, value) {
                budget = Some(RetryBudget::named(name));
            }
            if key == "ATTEMPT_TIMEOUT" && declared.attempt_timeout.is_none() {
                let why = "the code sets none, so its error may have no value for it";
                overrides::unusable(Kind::Retry, &self.operation, key, why);
            }
        });
        self.budget = budget.or_else(|| self.budget.take());
        self.is_plain = Self::is_plain(&self.config, self.budget.as_ref());
    }
}

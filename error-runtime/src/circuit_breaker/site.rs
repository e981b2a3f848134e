//! The breaker of one `#[circuit_breaker]`: a `static` in the function, found at the first call.

use std::sync::OnceLock;

use super::builder::ConstCircuitBreakerBuilder;
use super::judge::{By, ByClass, IntoVerdict, Judge};
use super::{BreakerFuture, Breakers, CircuitBreaker};
use crate::Classify;
use crate::policy::{AcceptsRejected, IsResult};

/// Where an attribute finds its breaker; after the first call that is one load.
#[derive(Debug)]
pub struct BreakerSite {
    source: Source,
    breaker: OnceLock<&'static CircuitBreaker>,
}

#[derive(Debug)]
enum Source {
    /// The one of this name in the registry, made with these rules if it is not there.
    Rules(ConstCircuitBreakerBuilder),
    /// A `static` of the application's.
    Static(fn() -> &'static CircuitBreaker),
}

impl BreakerSite {
    /// The breaker of a service.
    ///
    /// # Panics
    ///
    /// If a rule is wrong; in a `static` that is a compile error.
    pub const fn new(rules: ConstCircuitBreakerBuilder) -> Self {
        if let Err(error) = rules.check() {
            panic!("{}", error.reason);
        }
        Self {
            source: Source::Rules(rules),
            breaker: OnceLock::new(),
        }
    }

    /// A breaker of the application's.
    pub const fn of(breaker: fn() -> &'static CircuitBreaker) -> Self {
        Self {
            source: Source::Static(breaker),
            breaker: OnceLock::new(),
        }
    }

    #[inline]
    fn breaker(&self) -> &'static CircuitBreaker {
        match self.breaker.get() {
            Some(breaker) => breaker,
            None => self.find(),
        }
    }

    #[cold]
    fn find(&self) -> &'static CircuitBreaker {
        // Found first and kept then: hooks and loggers run meanwhile, and may call this very function.
        let breaker = match &self.source {
            Source::Rules(rules) => Breakers::global().of_attribute(*rules),
            Source::Static(breaker) => {
                let breaker = breaker();
                Breakers::global().pin(breaker);
                breaker
            }
        };
        self.breaker.get_or_init(|| breaker)
    }

    /// Runs a call.
    #[inline]
    pub fn call<R>(&'static self, op: impl FnOnce() -> R) -> R
    where
        R: IsResult<Error: Classify + AcceptsRejected>,
    {
        self.breaker().call_judged(op, &ByClass)
    }

    /// Runs a call, with one's own view of the result.
    #[inline]
    pub fn call_when<R, W, V>(&'static self, when: W, op: impl FnOnce() -> R) -> R
    where
        R: IsResult<Error: AcceptsRejected>,
        W: Fn(&R) -> V,
        V: IntoVerdict,
    {
        self.breaker().call_judged(op, &By(when))
    }

    /// Guards a future.
    #[inline]
    pub fn guard<F>(&'static self, op: F) -> BreakerFuture<'static, F>
    where
        F: Future<Output: IsResult<Error: Classify + AcceptsRejected>>,
    {
        BreakerFuture::new(self.breaker(), op, ByClass)
    }

    /// Guards a future, with one's own view of the result.
    #[inline]
    pub fn guard_when<F, R, W, V>(
        &'static self,
        when: W,
        op: F,
    ) -> BreakerFuture<'static, F, impl Judge<R>>
    where
        F: Future<Output = R>,
        R: IsResult<Error: AcceptsRejected>,
        W: Fn(&R) -> V,
        V: IntoVerdict,
    {
        BreakerFuture::new(self.breaker(), op, By(when))
    }
}

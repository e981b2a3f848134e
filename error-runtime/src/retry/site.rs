//! The policy of one `#[retry]`: a `static` in the function, resolved at the first call.

use std::sync::OnceLock;

use super::config::Settings;
use super::event::RetryEvent;
use super::policy::{ConstRetryPolicyBuilder, Core};
use super::state::Retry;

/// The rules as the attribute gives them, and the policy once the environment was asked.
#[derive(Debug)]
pub struct RetrySite {
    settings: Settings,
    operation: &'static str,
    budget: Option<&'static str>,
    hook: Option<fn(&RetryEvent<'_>)>,
    core: OnceLock<Core>,
}

impl RetrySite {
    /// The site of an operation.
    ///
    /// # Panics
    ///
    /// If a rule is wrong; in a `static` that is a compile error.
    pub const fn new<L>(operation: &'static str, rules: ConstRetryPolicyBuilder<L>) -> Self {
        let settings = rules.settings();
        if let Err(error) = settings.check() {
            panic!("{}", error.reason);
        }
        Self {
            settings,
            operation,
            budget: None,
            hook: None,
            core: OnceLock::new(),
        }
    }

    /// The same with a named budget.
    #[must_use]
    pub const fn budget(mut self, name: &'static str) -> Self {
        self.budget = Some(name);
        self
    }

    /// The same with a hook.
    #[must_use]
    pub const fn on_retry(mut self, hook: fn(&RetryEvent<'_>)) -> Self {
        self.hook = Some(hook);
        self
    }

    /// A call begins.
    #[expect(
        clippy::inline_always,
        reason = "three loads; left to itself rustc makes it a call that returns in memory"
    )]
    #[inline(always)]
    pub fn start(&'static self) -> Retry<'static> {
        Retry::start(match self.core.get() {
            Some(core) => core,
            None => self.resolve(),
        })
    }

    #[cold]
    fn resolve(&self) -> &Core {
        // Made first and kept then: a logger runs meanwhile, and may call this very function.
        let core = Core::of_attribute(self.settings, self.operation, self.budget, self.hook);
        self.core.get_or_init(|| core)
    }
}

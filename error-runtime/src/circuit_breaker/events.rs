//! What happened to a breaker, for those who watch.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::rejected::ServiceName;
use super::word::BreakerState;
use crate::report::{self, Told};

/// One change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition {
    /// The state before.
    pub from: BreakerState,
    /// The state since.
    pub to: BreakerState,
    /// When, by the wall clock: for people, not for rules.
    pub at: SystemTime,
}

/// A change of state of one breaker, as hooks see it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransitionEvent {
    /// The breaker's name.
    pub service: ServiceName,
    /// What happened.
    pub transition: Transition,
}

/// What is called on a change of state.
pub(super) type TransitionHook = Arc<dyn Fn(&TransitionEvent) + Send + Sync>;

/// Who is told of one breaker's changes.
pub(super) struct Hooks {
    pub(super) service: ServiceName,
    pub(super) own: Vec<TransitionHook>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hooks({}, {})", self.service, self.own.len())
    }
}

impl Hooks {
    pub(super) fn run(&self, transition: &Transition) {
        let event = TransitionEvent {
            service: self.service.clone(),
            transition: *transition,
        };
        super::registry::run_hooks(&event);
        self.own.iter().for_each(|hook| run_one(hook, &event));
        report::tell(Told::Transition(&event));
    }
}

/// A hook that panics harms nobody: neither the caller nor the hooks after it. What was thrown may panic
/// too when it is dropped.
pub(super) fn run_one(hook: &TransitionHook, event: &TransitionEvent) {
    let _ = crate::fault::guarded(|| hook(event));
}

//! What only events tell: retries, and changes of state.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use error_runtime::{Observer, RetriedEvent, RetryResult, TransitionEvent};

/// More operations than that are one, `_other`.
const MAX_OPERATIONS: usize = 500;

/// What only events tell: retries, and changes of state.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) retries: Mutex<BTreeMap<String, Retries>>,
    pub(super) transitions: Mutex<BTreeMap<(String, &'static str, &'static str), u64>>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Retries {
    pub(super) first_try: u64,
    pub(super) after_retry: u64,
    pub(super) exhausted: u64,
    pub(super) not_retryable: u64,
    pub(super) attempts: u64,
}

impl Observer for &'static Counted {
    fn wants_calls(&self) -> bool {
        // Breakers count their calls themselves.
        false
    }

    fn retried(&self, event: &RetriedEvent<'_>) {
        let mut all = self.retries.lock().unwrap_or_else(PoisonError::into_inner);
        let name = if all.len() >= MAX_OPERATIONS && !all.contains_key(event.operation) {
            "_other"
        } else {
            event.operation
        };
        let retries = match all.get_mut(name) {
            Some(retries) => retries,
            None => all.entry(name.to_owned()).or_default(),
        };
        match event.result {
            RetryResult::FirstTry => retries.first_try += 1,
            RetryResult::AfterRetry => retries.after_retry += 1,
            RetryResult::Exhausted => retries.exhausted += 1,
            _ => retries.not_retryable += 1,
        }
        retries.attempts += u64::from(event.attempts);
    }

    fn transition(&self, event: &TransitionEvent) {
        let (from, to) = (event.transition.from.as_str(), event.transition.to.as_str());
        let key = (event.service.to_string(), from, to);
        let mut all = self
            .transitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *all.entry(key).or_default() += 1;
    }
}

/// Of the process, as breakers and retries are.
pub(super) fn counted() -> &'static Counted {
    static COUNTED: OnceLock<&'static Counted> = OnceLock::new();
    COUNTED.get_or_init(|| {
        let counted: &'static Counted = Box::leak(Box::default());
        error_runtime::add_observer(counted);
        counted
    })
}

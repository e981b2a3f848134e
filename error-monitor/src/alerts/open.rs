//! Since when circuits are not closed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use error_runtime::{BreakerState, Breakers};

/// By service. An open circuit asks again and again whether it may close, and each time begins a new state; it
/// is one outage all the same, which began when it was closed last.
pub(super) struct OpenSince(Arc<Mutex<BTreeMap<String, u64>>>);

/// Whether a circuit of this state is one to be told of.
pub(super) const fn is_open(state: BreakerState) -> bool {
    matches!(
        state,
        BreakerState::Open | BreakerState::HalfOpen | BreakerState::ForcedOpen
    )
}

impl OpenSince {
    /// It learns from the breakers themselves when one closes: it may open again before anybody looks.
    pub(super) fn new() -> Self {
        let known = Arc::default();
        let watching = Arc::downgrade(&known);
        Breakers::global().on_transition(move |event| {
            if let Some(known) = watching.upgrade()
                && !is_open(event.transition.to)
            {
                let known: &Mutex<BTreeMap<_, _>> = &known;
                let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                known.remove(event.service.as_str());
            }
        });
        Self(known)
    }

    /// The circuits that are open now, with the times at which their states began; with the times at which they
    /// were first seen so instead.
    pub(super) fn seen(&self, mut open: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (service, since) in &mut open {
            if let Some(before) = known.get(service) {
                *since = *before;
            }
        }
        known.clone_from(&open);
        open
    }
}

#[cfg(test)]
mod tests {
    use error_runtime::CircuitBreaker;

    use super::*;

    fn open(all: &[(&str, u64)]) -> BTreeMap<String, u64> {
        all.iter()
            .map(|(name, since)| ((*name).to_owned(), *since))
            .collect()
    }

    #[test]
    fn an_outage_is_one_however_often_the_circuit_asks() {
        let since = OpenSince::new();
        assert_eq!(since.seen(open(&[("a", 10)])), open(&[("a", 10)]));
        // A probe has failed.
        let seen = since.seen(open(&[("a", 20), ("b", 20)]));
        assert_eq!(seen, open(&[("a", 10), ("b", 20)]));
        // It was closed at one look.
        assert_eq!(since.seen(open(&[("b", 30)])), open(&[("b", 20)]));
        assert_eq!(since.seen(open(&[("a", 40)])), open(&[("a", 40)]));
    }

    #[test]
    fn a_circuit_that_was_closed_between_two_looks_is_a_new_outage() {
        let since = OpenSince::new();
        let name = "open-since-between-two-looks";
        let breaker = CircuitBreaker::builder(name).build().unwrap();
        breaker.force_open(None);
        assert_eq!(since.seen(open(&[(name, 10)])), open(&[(name, 10)]));
        breaker.reset();
        breaker.force_open(None);
        assert_eq!(since.seen(open(&[(name, 20)])), open(&[(name, 20)]));
    }
}

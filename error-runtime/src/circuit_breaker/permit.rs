//! Leave to make one call: a guard that records exactly one result.

use std::sync::Arc;
use std::time::Duration;

use super::engine::Admission;
use super::{CircuitBreaker, Verdict};
use crate::Outcome;

macro_rules! permit {
    ($(#[$doc:meta])* $name:ident [$($lifetime:lifetime)?], $breaker:ty) => {
        $(#[$doc])*
        #[derive(Debug)]
        #[must_use = "a permit that is dropped counts as a call that never happened"]
        pub struct $name<$($lifetime)?> {
            breaker: $breaker,
            /// Taken when the result is recorded.
            admission: Option<Admission>,
        }

        impl<$($lifetime)?> $name<$($lifetime)?> {
            pub(super) fn new(breaker: $breaker, admission: Admission) -> Self {
                Self { breaker, admission: Some(admission) }
            }

            /// The service did its work.
            pub fn success(self) {
                self.finish(Outcome::Ok.into());
            }

            /// The service failed.
            pub fn failure(self) {
                self.finish(Outcome::Trip.into());
            }

            /// The call says nothing about the service; the same as dropping the permit.
            pub fn ignore(self) {
                self.finish(Outcome::Neutral.into());
            }

            /// Records an outcome with the time that the call took, for the rule on slow calls.
            pub fn record(mut self, outcome: Outcome, elapsed: Duration) {
                self.conclude(outcome.into(), Some(elapsed));
            }

            pub(super) fn finish(mut self, verdict: Verdict) {
                self.conclude(verdict, None);
            }

            fn conclude(&mut self, verdict: Verdict, elapsed: Option<Duration>) {
                if let Some(admission) = self.admission.take() {
                    self.breaker.record(admission, verdict, elapsed);
                }
            }
        }

        impl<$($lifetime)?> Drop for $name<$($lifetime)?> {
            fn drop(&mut self) {
                self.conclude(Outcome::Neutral.into(), None);
            }
        }
    };
}

permit! {
    /// Leave to make one call, from [`CircuitBreaker::try_acquire`].
    ///
    /// It belongs to the episode that gave it: after a reset, or once the circuit has opened, its
    /// result changes nothing but a count.
    Permit['a], &'a CircuitBreaker
}

permit! {
    /// A [`Permit`] that keeps its breaker alive, from [`CircuitBreaker::try_acquire_owned`].
    OwnedPermit[], Arc<CircuitBreaker>
}

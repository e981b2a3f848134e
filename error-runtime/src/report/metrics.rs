//! Failures, breakers and retries as metrics of the facade `metrics`.

use metrics::{counter, gauge};

use super::{CallEvent, Delivery, ErrorEvent, Observer, Reporter, RetriedEvent, add_observer};
use crate::{BreakerState, Breakers, RetryEvent, TransitionEvent};

/// Counts failures, and what breakers and retries do, in whatever recorder the application has installed.
///
/// | metric | labels |
/// |---|---|
/// | `api_errors_total` | `domain`, `code`, `status`, `route` (the template; empty where unknown) |
/// | `circuit_breaker_calls_total` | `service`, `outcome`: `success`, `failure` |
/// | `circuit_breaker_state` | `service`, `state`: 1 for the one that it is in, else 0. For breakers that are registered when the reporter is made, and others from their first transition on |
/// | `circuit_breaker_transitions_total` | `service`, `from`, `to` |
/// | `circuit_breaker_rejected_total` | `service` |
/// | `retry_calls_total` | `operation`, `result`: `first_try`, `after_retry`, `exhausted`, `not_retryable` |
/// | `retry_attempts_total` | `operation` |
///
/// Codes of errors that are made at run time are labels too; keep those from being without number.
#[derive(Clone, Copy, Debug)]
pub struct MetricsReporter(());

impl MetricsReporter {
    /// The reporter, for [`ErrorLayer::reporter`](crate::ErrorLayer::reporter). From the first on, the
    /// breakers and retries of the process are counted too.
    #[expect(
        clippy::new_without_default,
        reason = "a default that watches the whole process would surprise"
    )]
    pub fn new() -> Self {
        static WATCH: std::sync::Once = std::sync::Once::new();
        WATCH.call_once(|| {
            add_observer(Policies);
            for breaker in Breakers::global() {
                state_of(breaker.name(), breaker.state());
            }
        });
        Self(())
    }
}

impl Reporter for MetricsReporter {
    fn report(&self, event: &ErrorEvent) {
        counter!(
            "api_errors_total",
            "domain" => event.domain.to_string(),
            "code" => event.code.to_string(),
            "status" => event.status.as_str().to_owned(),
            "route" => event.route.clone().unwrap_or_default(),
        )
        .increment(1);
    }

    /// All of them are one.
    fn __identity(&self) -> usize {
        static ONE: u8 = 0;
        (&raw const ONE).addr()
    }

    /// A count and nothing more.
    fn delivery(&self) -> Delivery {
        Delivery::Inline
    }
}

struct Policies;

impl Observer for Policies {
    fn rejected(&self, event: &CallEvent<'_>) {
        let service = event.service.to_owned();
        counter!("circuit_breaker_rejected_total", "service" => service).increment(1);
    }

    fn success(&self, event: &CallEvent<'_>) {
        call(event.service, "success");
    }

    fn failure(&self, event: &CallEvent<'_>) {
        call(event.service, "failure");
    }

    fn transition(&self, event: &TransitionEvent) {
        let (from, to) = (event.transition.from, event.transition.to);
        counter!(
            "circuit_breaker_transitions_total",
            "service" => event.service.to_string(),
            "from" => from.as_str(),
            "to" => to.as_str(),
        )
        .increment(1);
        state_of(&event.service, to);
    }

    fn retry(&self, event: &RetryEvent<'_>) {
        attempts(event.operation, 1);
    }

    fn retried(&self, event: &RetriedEvent<'_>) {
        // The last attempt; those before were followed by a retry.
        attempts(event.operation, 1);
        counter!(
            "retry_calls_total",
            "operation" => event.operation.to_owned(),
            "result" => event.result.as_str(),
        )
        .increment(1);
    }
}

/// One of the states is 1.
fn state_of(service: &str, is_in: BreakerState) {
    for state in BreakerState::ALL {
        let value = if state == is_in { 1.0 } else { 0.0 };
        gauge!(
            "circuit_breaker_state",
            "service" => service.to_owned(),
            "state" => state.as_str(),
        )
        .set(value);
    }
}

fn call(service: &str, outcome: &'static str) {
    counter!(
        "circuit_breaker_calls_total",
        "service" => service.to_owned(),
        "outcome" => outcome,
    )
    .increment(1);
}

fn attempts(operation: &str, count: u64) {
    counter!("retry_attempts_total", "operation" => operation.to_owned()).increment(count);
}

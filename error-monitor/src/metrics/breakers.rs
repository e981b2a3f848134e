//! Circuit breakers, by our names and by those of resilience4j.

use std::fmt;

use error_runtime::{BreakerSnapshot, BreakerState};
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use super::{count, describe, gauge};

const STATES: [BreakerState; 6] = [
    BreakerState::Closed,
    BreakerState::Open,
    BreakerState::HalfOpen,
    BreakerState::ForcedOpen,
    BreakerState::Disabled,
    BreakerState::MetricsOnly,
];

fn states(
    encoder: &mut DescriptorEncoder<'_>,
    metric: &str,
    label: &str,
    breakers: &[BreakerSnapshot],
) -> fmt::Result {
    let help = "Which state a circuit breaker is in: 1 for that, 0 for the others.";
    let mut metric = describe(encoder, metric, help, MetricType::Gauge)?;
    for breaker in breakers {
        for state in STATES {
            let value = if breaker.state == state { 1.0 } else { 0.0 };
            gauge(
                &mut metric,
                [(label, &breaker.name), ("state", state.as_str())],
                value,
            )?;
        }
    }
    Ok(())
}

pub(super) fn natively(
    encoder: &mut DescriptorEncoder<'_>,
    breakers: &[BreakerSnapshot],
) -> fmt::Result {
    states(encoder, "circuit_breaker_state", "service", breakers)?;
    let mut metric = describe(
        encoder,
        "circuit_breaker_calls",
        "Calls through circuit breakers, by outcome.",
        MetricType::Counter,
    )?;
    for breaker in breakers {
        let totals = &breaker.totals;
        for (outcome, value) in [
            ("success", totals.successes),
            ("failure", totals.failures),
            ("ignored", totals.ignored),
            ("stale", totals.stale),
        ] {
            count(
                &mut metric,
                [("service", &breaker.name), ("outcome", outcome)],
                value,
            )?;
        }
    }
    let mut metric = describe(
        encoder,
        "circuit_breaker_rejected",
        "Calls that circuit breakers refused.",
        MetricType::Counter,
    )?;
    for breaker in breakers {
        count(
            &mut metric,
            [("service", &breaker.name)],
            breaker.totals.rejected,
        )?;
    }
    let mut metric = describe(
        encoder,
        "circuit_breaker_failure_ratio",
        "Failed calls of all in the window; absent while there are too few.",
        MetricType::Gauge,
    )?;
    for breaker in breakers {
        if let Some(rate) = breaker.window.failure_rate {
            gauge(&mut metric, [("service", &breaker.name)], rate)?;
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a window has no 2^52 calls")]
pub(super) fn as_resilience4j(
    encoder: &mut DescriptorEncoder<'_>,
    breakers: &[BreakerSnapshot],
) -> fmt::Result {
    states(
        encoder,
        "resilience4j_circuitbreaker_state",
        "name",
        breakers,
    )?;
    let mut metric = describe(
        encoder,
        "resilience4j_circuitbreaker_calls",
        "Calls through circuit breakers, by kind.",
        MetricType::Counter,
    )?;
    for breaker in breakers {
        let totals = &breaker.totals;
        for (kind, value) in [
            ("successful", totals.successes),
            ("failed", totals.failures),
            ("ignored", totals.ignored),
        ] {
            count(
                &mut metric,
                [("name", &breaker.name), ("kind", kind)],
                value,
            )?;
        }
    }
    let mut metric = describe(
        encoder,
        "resilience4j_circuitbreaker_not_permitted_calls",
        "Calls that circuit breakers refused.",
        MetricType::Counter,
    )?;
    for breaker in breakers {
        let labels = [("name", &*breaker.name), ("kind", "not_permitted")];
        count(&mut metric, labels, breaker.totals.rejected)?;
    }
    let mut metric = describe(
        encoder,
        "resilience4j_circuitbreaker_buffered_calls",
        "Calls in the window, by kind.",
        MetricType::Gauge,
    )?;
    for breaker in breakers {
        let window = &breaker.window;
        let succeeded = window.calls.saturating_sub(window.failures);
        for (kind, value) in [("successful", succeeded), ("failed", window.failures)] {
            gauge(
                &mut metric,
                [("name", &breaker.name), ("kind", kind)],
                value as f64,
            )?;
        }
    }
    for (name, help, rate) in [
        (
            "resilience4j_circuitbreaker_failure_rate",
            "Failed calls in the window, in percent; -1 while there are too few.",
            (|breaker| breaker.window.failure_rate) as fn(&BreakerSnapshot) -> Option<f64>,
        ),
        (
            "resilience4j_circuitbreaker_slow_call_rate",
            "Slow calls in the window, in percent; -1 while there are too few.",
            |breaker| breaker.window.slow_rate,
        ),
    ] {
        let mut metric = describe(encoder, name, help, MetricType::Gauge)?;
        for breaker in breakers {
            let percent = rate(breaker).map_or(-1.0, |rate| rate * 100.0);
            gauge(&mut metric, [("name", &breaker.name)], percent)?;
        }
    }
    Ok(())
}

//! `GET /metrics`: numbers for Prometheus, read when they are asked for.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use error_runtime::{
    BreakerSnapshot, BreakerState, Breakers, Observer, RetriedEvent, RetryResult, TransitionEvent,
};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::shared::Shared;

/// How the metrics of breakers and retries are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetricNames {
    /// `circuit_breaker_state`, `retry_calls_total` and so on, as the facade's reporter calls them.
    #[default]
    Native,
    /// `resilience4j_circuitbreaker_state` and so on: dashboards that were made for resilience4j show them.
    Resilience4j,
}

/// More series of errors than that are one, with the route `_other`.
const MAX_SERIES: usize = 2000;
/// More operations than that are one, `_other`.
const MAX_OPERATIONS: usize = 500;

const STATES: [BreakerState; 6] = [
    BreakerState::Closed,
    BreakerState::Open,
    BreakerState::HalfOpen,
    BreakerState::ForcedOpen,
    BreakerState::Disabled,
    BreakerState::MetricsOnly,
];

/// What only events tell: retries, and changes of state.
#[derive(Debug, Default)]
struct Counted {
    retries: Mutex<BTreeMap<String, Retries>>,
    transitions: Mutex<BTreeMap<(String, &'static str, &'static str), u64>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Retries {
    first_try: u64,
    after_retry: u64,
    exhausted: u64,
    not_retryable: u64,
    attempts: u64,
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
fn counted() -> &'static Counted {
    static COUNTED: OnceLock<&'static Counted> = OnceLock::new();
    COUNTED.get_or_init(|| {
        let counted: &'static Counted = Box::leak(Box::default());
        error_runtime::add_observer(counted);
        counted
    })
}

/// All metrics of a monitor.
pub(crate) struct Metrics {
    registry: Registry,
}

impl Metrics {
    pub(crate) fn new(shared: Arc<Shared>, names: MetricNames) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Reading {
            shared,
            names,
            counted: counted(),
        }));
        Self { registry }
    }

    /// The text, and its media type.
    pub(crate) fn text(&self, open_metrics: bool) -> Result<(String, &'static str), fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        if open_metrics {
            return Ok((
                text,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            ));
        }
        Ok((plain(&text), "text/plain; version=0.0.4; charset=utf-8"))
    }
}

/// Prometheus' older format: a counter is described by its whole name, and there is no end.
fn plain(text: &str) -> String {
    let mut counters: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line
            .strip_prefix("# TYPE ")
            .and_then(|rest| rest.strip_suffix(" counter"))
        {
            counters.push(name);
        }
    }
    let mut out = String::with_capacity(text.len() + 1024);
    for line in text
        .lines()
        .filter(|line| *line != "# EOF" && !line.starts_with("# UNIT "))
    {
        let described = line
            .strip_prefix("# HELP ")
            .or_else(|| line.strip_prefix("# TYPE "));
        match described.and_then(|rest| rest.split_once(' ')) {
            Some((name, rest)) if counters.contains(&name) => {
                let _ = writeln!(out, "{} {name}_total {rest}", &line[..6]);
            }
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

/// Whether somebody who says this in `Accept` would rather have the format of `OpenMetrics`.
pub(crate) fn prefers_open_metrics(accept: &str) -> bool {
    let quality = |wanted: &str| {
        accept
            .split(',')
            .filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                let name = parts.next()?;
                let weight = parts.find_map(|part| part.strip_prefix("q="));
                let weight: f32 = weight.and_then(|weight| weight.parse().ok()).unwrap_or(1.0);
                name.eq_ignore_ascii_case(wanted).then_some(weight)
            })
            .fold(None, |best: Option<f32>, weight| {
                Some(best.map_or(weight, |best| best.max(weight)))
            })
    };
    let open = quality("application/openmetrics-text").unwrap_or(0.0);
    open > 0.0 && open >= quality("text/plain").unwrap_or(0.0)
}

/// Reads everything at the moment when it is asked for.
#[derive(Debug)]
struct Reading {
    shared: Arc<Shared>,
    names: MetricNames,
    counted: &'static Counted,
}

impl Collector for Reading {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.errors(&mut encoder)?;
        self.requests(&mut encoder)?;
        self.itself(&mut encoder)?;
        let breakers: Vec<_> = Breakers::global()
            .iter()
            .map(|breaker| breaker.snapshot())
            .collect();
        match self.names {
            MetricNames::Native => {
                breakers_natively(&mut encoder, &breakers)?;
                self.transitions(&mut encoder, &breakers)?;
                self.retries(&mut encoder)
            }
            MetricNames::Resilience4j => {
                breakers_as_resilience4j(&mut encoder, &breakers)?;
                self.retries_as_resilience4j(&mut encoder)
            }
        }
    }
}

/// A metric that is about to be written.
fn describe<'s>(
    encoder: &'s mut DescriptorEncoder<'_>,
    name: &'s str,
    help: &'s str,
    kind: MetricType,
) -> Result<MetricEncoder<'s>, fmt::Error> {
    encoder.encode_descriptor(name, help, None, kind)
}

fn count<const N: usize>(
    metric: &mut MetricEncoder<'_>,
    labels: [(&str, &str); N],
    value: u64,
) -> fmt::Result {
    let labels = labels.as_slice();
    metric
        .encode_family(&labels)?
        .encode_counter::<NoLabelSet, _, u64>(&value, None)
}

fn gauge<const N: usize>(
    metric: &mut MetricEncoder<'_>,
    labels: [(&str, &str); N],
    value: f64,
) -> fmt::Result {
    let labels = labels.as_slice();
    metric.encode_family(&labels)?.encode_gauge(&value)
}

impl Reading {
    fn errors(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut metric = describe(
            encoder,
            "api_errors",
            "Failures answered, by domain, code, status and route.",
            MetricType::Counter,
        )?;
        let mut all: BTreeMap<[String; 4], u64> = BTreeMap::new();
        // Declared errors are there before they happen, so that the first one is seen as a rise.
        for spec in error_runtime::catalog::all()
            .into_iter()
            .take(MAX_SERIES / 2)
        {
            let status = spec.status.as_str().to_owned();
            all.insert(
                [
                    spec.domain.to_owned(),
                    spec.code.to_owned(),
                    status,
                    String::new(),
                ],
                0,
            );
        }
        for (series, total) in self.shared.failures.totals() {
            let route = if all.len() < MAX_SERIES {
                series.route.as_str()
            } else {
                "_other"
            };
            let key = [
                series.domain.clone(),
                series.code.clone(),
                series.status.to_string(),
                route.to_owned(),
            ];
            *all.entry(key).or_default() += total;
        }
        for ([domain, code, status, route], total) in &all {
            let labels = [
                ("domain", &**domain),
                ("code", code),
                ("status", status),
                ("route", route),
            ];
            count(&mut metric, labels, *total)?;
        }
        Ok(())
    }

    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut metric = describe(
            encoder,
            "http_requests",
            "Requests answered, by route and class of answer.",
            MetricType::Counter,
        )?;
        for (route, [total, client_errors, server_errors]) in self.shared.requests.totals() {
            let others = total.saturating_sub(client_errors + server_errors);
            for (class, value) in [
                ("ok", others),
                ("client_error", client_errors),
                ("server_error", server_errors),
            ] {
                count(&mut metric, [("route", &route), ("result", class)], value)?;
            }
        }
        Ok(())
    }

    /// The monitor itself.
    fn itself(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (failures, pump) = (&self.shared.failures, &self.shared.pump);
        let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let mut metric = describe(
            encoder,
            "error_monitor_events",
            "Failures by what became of their full text; all of them are counted.",
            MetricType::Counter,
        )?;
        for (result, value) in [
            ("stored", load(&pump.written)),
            ("sampled_out", load(&failures.sampled_out)),
            ("dropped", load(&failures.dropped) + load(&pump.dropped)),
        ] {
            count(&mut metric, [("result", result)], value)?;
        }
        let mut metric = describe(
            encoder,
            "error_monitor_store_failures",
            "How often the store did not take what it was given.",
            MetricType::Counter,
        )?;
        count(&mut metric, [], load(&pump.failed_writes))
    }

    fn transitions(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        breakers: &[BreakerSnapshot],
    ) -> fmt::Result {
        let mut metric = describe(
            encoder,
            "circuit_breaker_transitions",
            "Changes of state.",
            MetricType::Counter,
        )?;
        let mut all = self
            .counted
            .transitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for breaker in breakers {
            // The one that everybody waits for is there before it happens.
            all.entry((breaker.name.clone(), "closed", "open"))
                .or_default();
        }
        for ((service, from, to), value) in &all {
            count(
                &mut metric,
                [("service", service), ("from", from), ("to", to)],
                *value,
            )?;
        }
        Ok(())
    }

    fn all_retries(&self) -> BTreeMap<String, Retries> {
        self.counted
            .retries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn retries(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let all = self.all_retries();
        let mut metric = describe(
            encoder,
            "retry_calls",
            "Calls that a retry watched over.",
            MetricType::Counter,
        )?;
        for (operation, retries) in &all {
            for (result, value) in [
                ("first_try", retries.first_try),
                ("after_retry", retries.after_retry),
                ("exhausted", retries.exhausted),
                ("not_retryable", retries.not_retryable),
            ] {
                count(
                    &mut metric,
                    [("operation", operation), ("result", result)],
                    value,
                )?;
            }
        }
        let mut metric = describe(
            encoder,
            "retry_attempts",
            "Attempts of calls that a retry watched over.",
            MetricType::Counter,
        )?;
        for (operation, retries) in &all {
            count(&mut metric, [("operation", operation)], retries.attempts)?;
        }
        Ok(())
    }

    fn retries_as_resilience4j(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut metric = describe(
            encoder,
            "resilience4j_retry_calls",
            "Calls that a retry watched over.",
            MetricType::Counter,
        )?;
        for (name, retries) in &self.all_retries() {
            for (kind, value) in [
                ("successful_without_retry", retries.first_try),
                ("successful_with_retry", retries.after_retry),
                ("failed_with_retry", retries.exhausted),
                ("failed_without_retry", retries.not_retryable),
            ] {
                count(&mut metric, [("name", name), ("kind", kind)], value)?;
            }
        }
        Ok(())
    }
}

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

fn breakers_natively(
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
fn breakers_as_resilience4j(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_decides() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        assert!(prefers_open_metrics(prometheus));
        assert!(prefers_open_metrics("application/openmetrics-text"));
        for plain in [
            "",
            "*/*",
            "text/plain",
            "application/openmetrics-text;q=0",
            "text/plain, application/openmetrics-text;q=0.5",
        ] {
            assert!(!prefers_open_metrics(plain), "{plain}");
        }
    }

    #[test]
    fn counters_are_described_by_their_whole_name() {
        let open = "# HELP a Some.\n# TYPE a counter\na_total{x=\"# TYPE b counter\"} 1\n# HELP b Other.\n# TYPE b gauge\nb 2\n# EOF\n";
        assert_eq!(
            plain(open),
            "# HELP a_total Some.\n# TYPE a_total counter\na_total{x=\"# TYPE b counter\"} 1\n# HELP b Other.\n# TYPE b gauge\nb 2\n"
        );
    }
}

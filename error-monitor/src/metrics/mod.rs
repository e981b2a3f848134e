//! `GET /metrics`: numbers for Prometheus, read when they are asked for.

mod breakers;
mod counted;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use error_runtime::{BreakerSnapshot, Breakers};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use self::counted::{Counted, Retries, counted};
use self::text::plain;
pub(crate) use self::text::prefers_open_metrics;
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
            known: Mutex::default(),
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

/// Reads everything at the moment when it is asked for.
#[derive(Debug)]
struct Reading {
    shared: Arc<Shared>,
    names: MetricNames,
    counted: &'static Counted,
    /// Series of errors that have a place: whoever has one keeps it.
    known: Mutex<BTreeSet<[String; 4]>>,
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
                breakers::natively(&mut encoder, &breakers)?;
                self.transitions(&mut encoder, &breakers)?;
                self.retries(&mut encoder)
            }
            MetricNames::Resilience4j => {
                breakers::as_resilience4j(&mut encoder, &breakers)?;
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
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (series, total) in self.shared.failures.totals() {
            let mut key = [
                series.domain.clone(),
                series.code.clone(),
                series.status.to_string(),
                series.route.clone(),
            ];
            if !known.contains(&key) && !all.contains_key(&key) {
                if known.len() < MAX_SERIES {
                    known.insert(key.clone());
                } else {
                    "_other".clone_into(&mut key[3]);
                }
            }
            *all.entry(key).or_default() += total;
        }
        drop(known);
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

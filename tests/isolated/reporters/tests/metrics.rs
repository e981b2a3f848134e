//! The metrics as a recorder gets them.

use std::time::Duration;

use error_runtime::{CircuitBreaker, ErrorLayer, MetricsReporter};
use isolated_reporters::{ShopError, app, call};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

/// `name{label="value",…}` and the value, sorted.
fn all(snapshotter: &Snapshotter) -> Vec<(String, String)> {
    let mut lines: Vec<_> = snapshotter
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, _, _, value)| {
            let key = key.key();
            let labels: Vec<_> = key
                .labels()
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            let value = match value {
                DebugValue::Counter(count) => count.to_string(),
                DebugValue::Gauge(gauge) => gauge.to_string(),
                DebugValue::Histogram(_) => "a histogram".to_owned(),
            };
            (format!("{}{{{}}}", key.name(), labels.join(",")), value)
        })
        .collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn failures_breakers_and_retries_are_counted() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    let app = app(ErrorLayer::new().reporter(MetricsReporter::new()));

    for _ in 0..2 {
        call(&app, "/orders/7", "id").await;
    }
    call(&app, "/nowhere", "id").await;
    call(&app, "/charge", "id").await;
    let breaker = CircuitBreaker::builder("ledger")
        .failures(1)
        .recovery(Duration::from_secs(3600))
        .build()
        .unwrap();
    breaker.call(|| Ok::<_, ShopError>(())).unwrap();
    breaker.call(|| Err::<(), _>(ShopError::Flaky)).unwrap_err();
    breaker.call(|| Ok::<_, ShopError>(())).unwrap_err();

    let lines = all(&snapshotter);
    let expected = [
        (
            "api_errors_total{domain=shop,code=NOT_FOUND,status=404,route=/orders/{id}}",
            "2",
        ),
        (
            "api_errors_total{domain=http,code=NOT_FOUND,status=404,route=}",
            "1",
        ),
        (
            "api_errors_total{domain=shop,code=FLAKY,status=503,route=/charge}",
            "1",
        ),
        (
            "circuit_breaker_calls_total{service=ledger,outcome=success}",
            "1",
        ),
        (
            "circuit_breaker_calls_total{service=ledger,outcome=failure}",
            "1",
        ),
        ("circuit_breaker_rejected_total{service=ledger}", "1"),
        (
            "circuit_breaker_transitions_total{service=ledger,from=closed,to=open}",
            "1",
        ),
        ("circuit_breaker_state{service=ledger,state=open}", "1"),
        ("circuit_breaker_state{service=ledger,state=closed}", "0"),
        ("retry_calls_total{operation=charge,result=exhausted}", "1"),
        ("retry_attempts_total{operation=charge}", "3"),
    ];
    for (name, value) in expected {
        let found = lines.iter().find(|(line, _)| line == name);
        assert_eq!(
            found.map(|(_, value)| value.as_str()),
            Some(value),
            "{name} in {lines:#?}"
        );
    }
}

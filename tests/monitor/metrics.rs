//! `/metrics` over a socket, read by a parser that forgives nothing, in both formats.
//!
//! Breakers and retries are the process's, and so are their numbers: each test has names of its own and looks at
//! those alone.
#![expect(
    clippy::float_cmp,
    reason = "Prometheus knows no other numbers, and these are whole"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use error_monitor::{MetricNames, Monitor, MonitorBuilder, WithAdmin};
use error_runtime::{
    ApiError, Breakers, CircuitBreaker, ErrorEvent, ErrorLayer, FanOut, Reporter as _, RetryPolicy,
    StatusCode,
};

use crate::ops::{Served, TOKEN, TestClock, builder};

const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const ACCEPTS_OPEN: &str =
    "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";

#[derive(Debug, ApiError)]
#[api(domain = "metrics-test")]
#[expect(clippy::enum_variant_names, reason = "codes that no other test has")]
enum Fails {
    #[api(status = 404, message = "no")]
    MetricsTestMissing,
    #[api(status = 503, message = "no", retryable)]
    MetricsTestBusy,
    #[expect(dead_code, reason = "what is declared is seen before it happens")]
    #[api(status = 418, message = "never made")]
    MetricsTestNever,
}

// ---- The parser ----

type Labels = BTreeMap<String, String>;

/// One metric with all its samples.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    samples: BTreeMap<(String, Labels), f64>,
}

type Families = BTreeMap<String, Family>;

fn is_metric_name(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit())
}

fn is_label_name(name: &str) -> bool {
    is_metric_name(name) && !name.contains(':') && !name.starts_with("__")
}

/// `name{label="value",…} number`, and nothing else: no spaces more, no time, no exemplar.
fn sample(line: &str) -> (String, Labels, f64) {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}"));
    let (name, rest) = line.split_at(end);
    assert!(is_metric_name(name), "{line}");
    let mut labels = Labels::new();
    let mut rest = rest.chars().peekable();
    if rest.next_if_eq(&'{').is_some() && rest.next_if_eq(&'}').is_none() {
        loop {
            let mut label = String::new();
            while let Some(c) = rest.next_if(|c| *c != '=' && *c != '}') {
                label.push(c);
            }
            assert!(is_label_name(&label), "{label:?} in {line}");
            assert_eq!((rest.next(), rest.next()), (Some('='), Some('"')), "{line}");
            let mut value = String::new();
            loop {
                match rest.next() {
                    Some('"') => break,
                    Some('\\') => value.push(match rest.next() {
                        Some('n') => '\n',
                        Some(c @ ('\\' | '"')) => c,
                        other => panic!("\\{other:?} in {line}"),
                    }),
                    Some(c) => value.push(c),
                    None => panic!("a label without an end: {line}"),
                }
            }
            assert!(
                labels.insert(label, value).is_none(),
                "a label twice: {line}"
            );
            match rest.next() {
                Some(',') => {}
                Some('}') => break,
                other => panic!("{other:?} in {line}"),
            }
        }
    }
    assert_eq!(rest.next(), Some(' '), "{line}");
    let number: String = rest.collect();
    assert!(!number.contains(' '), "{line}");
    let value = number.parse().unwrap_or_else(|_| panic!("{line}"));
    (name.to_owned(), labels, value)
}

/// Either format. What is wrong with it is a panic.
fn parse(text: &str, open: bool) -> Families {
    assert!(
        text.ends_with('\n') && !text.contains("\r\n"),
        "lines end with a line feed"
    );
    let mut lines: Vec<&str> = text.strip_suffix('\n').unwrap().split('\n').collect();
    if open {
        assert_eq!(lines.pop(), Some("# EOF"));
    }
    let mut families = Families::new();
    let mut current = String::new();
    let mut helped = BTreeSet::new();
    for line in lines {
        assert!(!line.is_empty() && line != "# EOF", "{text}");
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(is_metric_name(name) && !help.trim().is_empty(), "{line}");
            assert!(help.ends_with('.') && !help.ends_with(".."), "{line}");
            assert!(helped.insert(name.to_owned()), "{name} is described twice");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge"].contains(&kind), "{line}");
            // The older format names a counter by its samples, the newer one by their stem.
            assert!(
                kind != "counter" || name.ends_with("_total") != open,
                "{line}"
            );
            assert!(helped.contains(name), "{name} is not described");
            let family = Family {
                kind: kind.to_owned(),
                ..Family::default()
            };
            assert!(
                families.insert(name.to_owned(), family).is_none(),
                "{name} comes twice"
            );
            name.clone_into(&mut current);
        } else {
            assert!(!line.starts_with('#'), "{line}");
            let (name, labels, value) = sample(line);
            let family = families
                .get_mut(&current)
                .unwrap_or_else(|| panic!("{line}"));
            let wanted = if open && family.kind == "counter" {
                format!("{current}_total")
            } else {
                current.clone()
            };
            assert_eq!(name, wanted, "a sample among those of another metric");
            assert!(value.is_finite(), "{line}");
            if family.kind == "counter" {
                assert!(value >= 0.0 && value.fract() == 0.0, "{line}");
            }
            let before = family.samples.insert((name, labels), value);
            assert!(before.is_none(), "a series twice: {line}");
        }
    }
    families
}

async fn scrape_as(served: &Served, accept: &str) -> (String, String) {
    let request = served
        .client
        .get(format!("http://{}/metrics", served.address));
    let response = request
        .bearer_auth(TOKEN)
        .header("accept", accept)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let media_type = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    (media_type, response.text().await.unwrap())
}

/// Both formats, which must say the same; every sample by its name and labels.
async fn scrape(served: &Served) -> BTreeMap<(String, Labels), f64> {
    let (media_type, plain) = scrape_as(served, "text/plain").await;
    assert_eq!(media_type, PLAIN);
    parse(&plain, false)
        .into_values()
        .flat_map(|family| family.samples)
        .collect()
}

/// Of one metric, the samples that have this label: by the values of the other labels, joined.
fn with<'a>(
    all: &'a BTreeMap<(String, Labels), f64>,
    name: &str,
    label: &str,
    value: &str,
) -> BTreeMap<String, f64> {
    let of = |((metric, labels), number): (&'a (String, Labels), &'a f64)| {
        let matches = metric == name && labels.get(label).is_some_and(|found| found == value);
        matches.then(|| {
            let others = labels.iter().filter(|(other, _)| *other != label);
            let others: Vec<_> = others
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            (others.join(","), *number)
        })
    };
    all.iter().filter_map(of).collect()
}

fn numbers(all: &[(&str, f64)]) -> BTreeMap<String, f64> {
    all.iter()
        .map(|(name, number)| ((*name).to_owned(), *number))
        .collect()
}

async fn serve(
    change: impl FnOnce(MonitorBuilder<WithAdmin>) -> MonitorBuilder<WithAdmin>,
) -> (tempfile::TempDir, Served) {
    let folder = tempfile::tempdir().unwrap();
    let building = change(builder(&folder, &TestClock::new()));
    (folder, Served::start(building).await)
}

/// A breaker of this name after two successes, one failure and two refusals.
fn breaker_in_use(name: &'static str) {
    let breaker = CircuitBreaker::builder(name).failures(5).build().unwrap();
    let breaker = Breakers::global().register(breaker);
    for _ in 0..2 {
        breaker.try_acquire().unwrap().success();
    }
    breaker.try_acquire().unwrap().failure();
    breaker.force_open(None);
    for _ in 0..2 {
        let _refused = breaker.try_acquire().map(drop).unwrap_err();
    }
}

fn retries_in_use(operation: &'static str) {
    let policy = RetryPolicy::builder()
        .operation(operation)
        .attempts(3)
        .base(std::time::Duration::from_millis(1))
        .build()
        .unwrap();
    policy.call(|| Ok::<_, Fails>(())).unwrap();
    let mut calls = 0;
    policy
        .call(|| {
            calls += 1;
            if calls == 1 {
                Err(Fails::MetricsTestBusy)
            } else {
                Ok(())
            }
        })
        .unwrap();
    policy
        .call(|| Err::<(), _>(Fails::MetricsTestBusy))
        .unwrap_err();
    policy
        .call(|| Err::<(), _>(Fails::MetricsTestMissing))
        .unwrap_err();
}

// ---- The names of the contract ----

#[tokio::test]
async fn the_formats_say_the_same_by_their_rules() {
    let (_folder, served) = serve(|builder| builder).await;
    breaker_in_use("metrics-test-formats");
    retries_in_use("metrics-test-formats");
    report(&served.monitor, |_| {});
    for accept in [
        "",
        "*/*",
        "text/plain",
        "application/json",
        "application/openmetrics-text;q=0",
    ] {
        assert_eq!(scrape_as(&served, accept).await.0, PLAIN, "{accept}");
    }
    let (media_type, open) = scrape_as(&served, ACCEPTS_OPEN).await;
    assert_eq!(media_type, OPEN);
    let (_, plain) = scrape_as(&served, "text/plain").await;
    let (open, plain) = (parse(&open, true), parse(&plain, false));
    for (name, family) in &open {
        let by_name = if family.kind == "counter" {
            format!("{name}_total")
        } else {
            name.clone()
        };
        let other = &plain[&by_name];
        assert_eq!(family.kind, other.kind);
        // Other tests go on in the meantime: the series that this one has made are the same.
        for (series, value) in &family.samples {
            if series
                .1
                .values()
                .any(|value| value.contains("metrics-test-formats"))
            {
                assert_eq!(other.samples.get(series), Some(value), "{series:?}");
            }
        }
    }
    assert_eq!(open.len(), plain.len());
}

/// Tells the monitor of a failure.
fn report(monitor: &Monitor, change: impl FnOnce(&mut ErrorEvent)) {
    let mut event = ErrorEvent::new(&Fails::MetricsTestMissing);
    event.route = Some("/metrics-test".to_owned());
    change(&mut event);
    monitor.report(&event);
}

#[tokio::test]
async fn native_names_and_labels() {
    let (_folder, served) = serve(|builder| builder).await;
    breaker_in_use("metrics-test-native");
    retries_in_use("metrics-test-native");
    let all = scrape(&served).await;
    let of = |name: &str, label: &str| with(&all, name, label, "metrics-test-native");
    assert_eq!(
        of("circuit_breaker_state", "service"),
        numbers(&[
            ("state=closed", 0.0),
            ("state=disabled", 0.0),
            ("state=forced_open", 1.0),
            ("state=half_open", 0.0),
            ("state=metrics_only", 0.0),
            ("state=open", 0.0),
        ])
    );
    let calls = of("circuit_breaker_calls_total", "service");
    assert_eq!(calls["outcome=success"], 2.0);
    assert_eq!(calls["outcome=failure"], 1.0);
    assert!(calls.values().sum::<f64>() <= 3.0, "{calls:?}");
    assert_eq!(
        of("circuit_breaker_rejected_total", "service"),
        numbers(&[("", 2.0)])
    );
    assert_eq!(
        of("circuit_breaker_transitions_total", "service"),
        numbers(&[
            ("from=closed,to=forced_open", 1.0),
            ("from=closed,to=open", 0.0)
        ])
    );
    assert_eq!(
        of("retry_calls_total", "operation"),
        numbers(&[
            ("result=after_retry", 1.0),
            ("result=exhausted", 1.0),
            ("result=first_try", 1.0),
            ("result=not_retryable", 1.0),
        ])
    );
    assert_eq!(
        of("retry_attempts_total", "operation"),
        numbers(&[("", 7.0)])
    );
    let breaker = Breakers::global().get("metrics-test-native").unwrap();
    breaker.reset();
    let all = scrape(&served).await;
    let states = with(
        &all,
        "circuit_breaker_state",
        "service",
        "metrics-test-native",
    );
    assert_eq!(
        (states["state=closed"], states["state=forced_open"]),
        (1.0, 0.0)
    );
    assert_eq!(states.values().sum::<f64>(), 1.0);
    assert!(
        !all.keys()
            .any(|(name, _)| name.starts_with("resilience4j_"))
    );
}

#[tokio::test]
async fn names_of_resilience4j() {
    let (_folder, served) = serve(|builder| builder.metric_names(MetricNames::Resilience4j)).await;
    breaker_in_use("metrics-test-r4j");
    retries_in_use("metrics-test-r4j");
    let all = scrape(&served).await;
    let of = |name: &str| with(&all, name, "name", "metrics-test-r4j");
    assert_eq!(of("resilience4j_circuitbreaker_state").len(), 6);
    assert_eq!(
        of("resilience4j_circuitbreaker_state")["state=forced_open"],
        1.0
    );
    let calls = of("resilience4j_circuitbreaker_calls_total");
    assert_eq!((calls["kind=successful"], calls["kind=failed"]), (2.0, 1.0));
    assert_eq!(
        of("resilience4j_circuitbreaker_not_permitted_calls_total"),
        numbers(&[("kind=not_permitted", 2.0)])
    );
    assert_eq!(
        of("resilience4j_retry_calls_total"),
        numbers(&[
            ("kind=failed_with_retry", 1.0),
            ("kind=failed_without_retry", 1.0),
            ("kind=successful_with_retry", 1.0),
            ("kind=successful_without_retry", 1.0),
        ])
    );
    for name in ["failure_rate", "slow_call_rate"] {
        let rate = of(&format!("resilience4j_circuitbreaker_{name}"));
        assert!(rate[""] >= -1.0 && rate[""] <= 100.0, "{rate:?}");
    }
    assert_eq!(of("resilience4j_circuitbreaker_buffered_calls").len(), 2);
    let (_, open) = scrape_as(&served, ACCEPTS_OPEN).await;
    parse(&open, true);
    assert!(
        !all.keys()
            .any(|(name, _)| name.starts_with("circuit_breaker_") || name.starts_with("retry_"))
    );
}

/// A request through the edge, to the series that Prometheus sees.
#[tokio::test]
async fn failures_by_domain_code_status_and_route() {
    use axum::routing::get;

    let (_folder, served) = serve(|builder| builder).await;
    let app: axum::Router = axum::Router::new()
        .route(
            "/metrics-test/{id}",
            get(|| async { Err::<(), _>(Fails::MetricsTestMissing) }),
        )
        .route("/metrics-test-ok", get(|| async { "ok" }))
        .layer(ErrorLayer::new().reporter(served.monitor.clone()))
        .layer(served.monitor.layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    for path in [
        "metrics-test/1",
        "metrics-test/2",
        "metrics-test-ok",
        "metrics-test-nowhere",
    ] {
        served
            .client
            .get(format!("http://{address}/{path}"))
            .send()
            .await
            .unwrap();
    }
    let all = scrape(&served).await;
    let of = |code: &str| with(&all, "api_errors_total", "code", code);
    assert_eq!(
        of("METRICS_TEST_MISSING")["domain=metrics-test,route=/metrics-test/{id},status=404"],
        2.0
    );
    assert_eq!(of("NOT_FOUND")["domain=http,route=,status=404"], 1.0);
    // Declared, and never met: it is there, at nothing.
    assert_eq!(
        of("METRICS_TEST_NEVER"),
        numbers(&[("domain=metrics-test,route=,status=418", 0.0)])
    );
    let requests = |route: &str| with(&all, "http_requests_total", "route", route);
    assert_eq!(
        requests("/metrics-test/{id}"),
        numbers(&[
            ("result=client_error", 2.0),
            ("result=ok", 0.0),
            ("result=server_error", 0.0)
        ])
    );
    assert_eq!(requests("/metrics-test-ok")["result=ok"], 1.0);
    assert!(
        !all.keys()
            .any(|(_, labels)| labels.values().any(|value| value.contains("nowhere"))),
        "a path is nobody's label"
    );
}

/// A counter that appears with its first number has risen for nobody: `increase()` sees a series from its second
/// sample on. What is declared is there at nothing before it fails, without a route, which nobody knows yet: a
/// sum over the routes rises with the first failure.
#[tokio::test]
async fn what_is_declared_is_there_before_it_fails() {
    let (_folder, served) = serve(|builder| builder).await;
    let sum = |all: &BTreeMap<(String, Labels), f64>| {
        let of = |((name, labels), value): (&(String, Labels), &f64)| {
            let is_ours = name == "api_errors_total"
                && labels["code"] == "METRICS_TEST_MISSING"
                && labels["domain"] == "metrics-test";
            is_ours.then_some(*value)
        };
        let all: Vec<f64> = all.iter().filter_map(of).collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>())
    };
    assert_eq!(sum(&scrape(&served).await), Some(0.0));
    report(&served.monitor, |_| {});
    assert_eq!(sum(&scrape(&served).await), Some(1.0));
}

#[tokio::test]
async fn hostile_texts_stay_inside_their_labels() {
    let (_folder, served) = serve(|builder| builder).await;
    let texts = [
        "metrics-test-\"} 1\nfake_total{x=\"y",
        "metrics-test-\\",
        "metrics-test-\\n\n\\\"",
        "metrics-test-\r\t\u{0}\u{7f}\u{2028}é😀",
        "metrics-test-# EOF\n# EOF",
    ];
    for text in texts {
        report(&served.monitor, |event| {
            event.code = text.to_owned().into();
            event.domain = text.to_owned().into();
            event.route = Some(text.to_owned());
            event.fingerprint = text.to_owned();
        });
        served.monitor.requests().count(text, StatusCode::OK);
        let name: &'static str = Box::leak(text.to_owned().into_boxed_str());
        breaker_in_use(name);
        retries_in_use(name);
    }
    let (_, open) = scrape_as(&served, ACCEPTS_OPEN).await;
    let families = parse(&open, true);
    assert!(!families.contains_key("fake"));
    let all = scrape(&served).await;
    for text in texts {
        // A store takes no zero; what a label says is what the store says.
        let kept = text.replace('\0', "\u{fffd}");
        let errors = with(&all, "api_errors_total", "code", &kept);
        assert_eq!(
            errors[&format!("domain={kept},route={kept},status=404")],
            1.0
        );
        assert_eq!(
            with(&all, "http_requests_total", "route", &kept)["result=ok"],
            1.0
        );
        assert_eq!(
            with(&all, "circuit_breaker_rejected_total", "service", text)[""],
            2.0
        );
        assert_eq!(
            with(&all, "retry_attempts_total", "operation", text)[""],
            7.0
        );
    }
}

// ---- Limits ----

/// Of these failures, by route.
fn by_route(all: &BTreeMap<(String, Labels), f64>, code: &str) -> BTreeMap<String, f64> {
    let of = |((name, labels), value): (&(String, Labels), &f64)| {
        (name == "api_errors_total" && labels["code"] == code)
            .then(|| (labels["route"].clone(), *value))
    };
    all.iter().filter_map(of).collect()
}

#[tokio::test]
async fn there_is_an_end_to_the_series_and_none_to_the_counting() {
    let (_folder, served) = serve(|builder| builder).await;
    let more = |range: std::ops::Range<usize>| {
        for number in range {
            report(&served.monitor, |event| {
                event.code = "METRICS_TEST_MANY".into();
                event.route = Some(format!("/metrics-test/{number}"));
            });
        }
    };
    more(0..1500);
    let few = by_route(&scrape(&served).await, "METRICS_TEST_MANY");
    assert_eq!(few.len(), 1500);
    assert!(!few.contains_key("_other"));
    more(1500..4000);
    let all = scrape(&served).await;
    let many = by_route(&all, "METRICS_TEST_MANY");
    assert!(many.len() < 2500, "{} series", many.len());
    assert!(many.contains_key("_other"));
    // A failure for which the monitor's own table had no place is counted by its status alone.
    let others = by_route(&all, "_OTHER");
    let sum = many.values().chain(others.values()).sum::<f64>();
    assert_eq!(sum, 4000.0);
    // What has a series keeps it: one that goes, and a rise elsewhere of all that it had, are an alarm.
    let lost = few
        .keys()
        .filter(|route| !many.contains_key(*route))
        .count();
    assert_eq!(lost, 0, "series of their own became part of another");
}

/// Operations are the process's: where there is no room for more, there is none for those of other tests.
#[test]
fn there_is_an_end_to_the_operations() {
    let itself = std::env::current_exe().unwrap();
    let output = Command::new(itself)
        .args(["--exact", "metrics::operations_of_a_process", "--ignored"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[tokio::test]
#[ignore = "in a process of its own, by the test above"]
async fn operations_of_a_process() {
    let (_folder, served) = serve(|builder| builder).await;
    for number in 0..600 {
        let policy = RetryPolicy::builder()
            .operation(format!("metrics-test-op-{number:04}"))
            .build()
            .unwrap();
        policy.call(|| Ok::<_, Fails>(())).unwrap();
    }
    let all = scrape(&served).await;
    let operations: BTreeSet<_> = all
        .keys()
        .filter(|(name, _)| name == "retry_attempts_total")
        .map(|(_, labels)| labels["operation"].clone())
        .collect();
    assert!(operations.len() <= 501, "{}", operations.len());
    assert!(operations.contains("_other"));
}

// ---- The door ----

#[tokio::test]
async fn metrics_are_for_those_who_have_signed_in() {
    let (_folder, closed) = serve(|builder| builder.viewer_token("viewer-viewer-viewer")).await;
    let status = async |served: &Served, path: &str, token: Option<&str>| {
        let mut request = served
            .client
            .get(format!("http://{}{path}", served.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(&closed, "/metrics", None).await, 401);
    assert_eq!(
        status(&closed, "/metrics", Some("not-the-right-token")).await,
        401
    );
    assert_eq!(
        status(&closed, "/metrics", Some("viewer-viewer-viewer")).await,
        200
    );
    assert_eq!(status(&closed, "/metrics", Some(TOKEN)).await, 200);
    let (_folder, open) =
        serve(|builder| builder.public_metrics(true).metrics_path("/numbers")).await;
    assert_eq!(status(&open, "/numbers", None).await, 200);
    assert_eq!(status(&open, "/metrics", None).await, 404);
    // Nothing else is open by it.
    assert_eq!(
        status(&open, "/admin/api/monitoring/errors/stats", None).await,
        401
    );
    let posted = open
        .client
        .post(format!("http://{}/numbers", open.address))
        .send()
        .await
        .unwrap();
    assert_eq!(posted.status(), 401);
}

/// Prometheus scrapes while others do, and while everything goes on.
#[tokio::test]
async fn scrapes_at_the_same_time() {
    let (_folder, served) = serve(|builder| builder).await;
    let served = Arc::new(served);
    let mut scraping = Vec::new();
    for _ in 0..8 {
        let served = Arc::clone(&served);
        scraping.push(tokio::spawn(async move {
            for _ in 0..10 {
                report(&served.monitor, |event| {
                    event.code = "METRICS_TEST_AT_ONCE".into();
                });
                parse(&scrape_as(&served, ACCEPTS_OPEN).await.1, true);
            }
        }));
    }
    for one in scraping {
        one.await.unwrap();
    }
    let all = scrape(&served).await;
    assert_eq!(
        by_route(&all, "METRICS_TEST_AT_ONCE")["/metrics-test"],
        80.0
    );
}

// ---- Prometheus' own opinion ----

/// What `promtool` says of a text, and whether it is content; nothing where there is no such program.
fn promtool(text: &str) -> Option<(bool, String)> {
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        assert!(
            std::env::var_os("REQUIRE_SERVICES").is_none_or(|value| value != "1"),
            "promtool is not installed"
        );
        println!("skipped: promtool is not installed");
        return None;
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8(said).unwrap()))
}

#[tokio::test]
async fn prometheus_has_nothing_to_say_against_it() {
    let (_folder, native) = serve(|builder| builder).await;
    breaker_in_use("metrics-test-promtool");
    retries_in_use("metrics-test-promtool");
    report(&native.monitor, |_| {});
    native
        .monitor
        .requests()
        .count("/metrics-test", StatusCode::OK);
    if let Some((content, said)) = promtool(&scrape_as(&native, "text/plain").await.1) {
        assert!(content, "{said}");
        assert_eq!(said, "");
    }
    // The other names are given; they can be read.
    let (_folder, other) = serve(|builder| builder.metric_names(MetricNames::Resilience4j)).await;
    if let Some((_, said)) = promtool(&scrape_as(&other, "text/plain").await.1) {
        assert!(
            !said.contains("error while linting") && !said.contains("parsing error"),
            "{said}"
        );
    }
    // And it would say something if there were something.
    if let Some((content, said)) = promtool("# TYPE x counter\nx 1\n") {
        assert!(!content && said.contains("_total"), "{said}");
    }
}

/// A fan-out in front of the monitor changes nothing about what is counted.
#[tokio::test]
async fn a_reporter_among_others_counts_once() {
    let (_folder, served) = serve(|builder| builder).await;
    let reporters = FanOut::new().reporter(served.monitor.clone());
    let mut event = ErrorEvent::new(&Fails::MetricsTestMissing);
    event.code = "METRICS_TEST_FAN_OUT".into();
    reporters.report(&event);
    assert!(reporters.flush(std::time::Duration::from_secs(60)));
    let all = scrape(&served).await;
    assert_eq!(by_route(&all, "METRICS_TEST_FAN_OUT")[""], 1.0);
}

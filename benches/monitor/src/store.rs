//! The store: how fast it takes failures, and how fast it answers for a million of them over 30 days.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use error_monitor::ErrorStore;
use error_monitor::store::{Batch, CountDelta, Series, SqliteStore, StoredEvent};
use error_runtime::time::Timestamp;
use harness::{Limit, median};
use tower::ServiceExt;

use crate::{TOKEN, monitor};

const EVENTS: u64 = 1_000_000;
const BATCH: u64 = 2_000;
const DAY: u64 = 24 * 3600 * 1000;
const MINUTE: u64 = 60_000;

pub async fn measure() -> Vec<Limit> {
    let folder = tempfile::tempdir().expect("a folder");
    let now = Timestamp::now().unix_millis();
    let from = now - 30 * DAY;
    let series: Vec<_> = (0..100).map(series).collect();
    let store = SqliteStore::open(folder.path().join("errors.db")).expect("a store");
    let batches: Vec<_> = (0..EVENTS / BATCH)
        .map(|number| batch(number, from, &series))
        .collect();
    let begun = Instant::now();
    for batch in batches {
        store.write(batch).await.expect("it is written");
    }
    let per_second = EVENTS as f64 / begun.elapsed().as_secs_f64();
    println!(
        "{:30} {per_second:8.0} events/s",
        "ingestion, batches of 2000"
    );
    let size = store.size().await.expect("a size");
    println!(
        "{:30} {:8} MiB for {} events",
        "",
        size.bytes >> 20,
        size.events
    );
    store.close().await.expect("it closes");

    let monitor = monitor(folder.path()).await;
    let router: Router = monitor.router();
    let range = format!(
        "from={}&to={}",
        Timestamp::from_unix_millis(from),
        Timestamp::from_unix_millis(now)
    );
    let mut limits = vec![Limit::new(
        per_second >= 80_000.0,
        format!("at least 80 000 events/s are taken: {per_second:.0}"),
    )];
    for (name, query, most) in [
        ("stats over 30 days", format!("errors/stats?{range}"), 20.0),
        (
            "stats by the hour",
            format!("errors/stats?{range}&bucket=1h&group_by=route"),
            20.0,
        ),
        ("recent errors", "logs/recent-errors".to_owned(), 2.0),
        (
            "recent errors of a request",
            "logs/recent-errors?request_id=request-1234".to_owned(),
            2.0,
        ),
        (
            "patterns over 30 days",
            format!("errors/patterns?{range}"),
            50.0,
        ),
    ] {
        let mut millis = Vec::new();
        for _ in 0..21 {
            let request = Request::get(format!("/admin/api/monitoring/{query}"))
                .header("authorization", format!("Bearer {TOKEN}"))
                .body(Body::empty())
                .expect("a request");
            let begun = Instant::now();
            let response = router.clone().oneshot(request).await.expect("infallible");
            assert!(
                response.status().is_success(),
                "{name}: {}",
                response.status()
            );
            millis.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        let millis = median(millis);
        println!("{name:30} {millis:8.2} ms");
        limits.push(Limit::new(
            millis <= most,
            format!("{name}: at most {most} ms: {millis:.2}"),
        ));
    }
    monitor.shutdown().await;
    limits
}

fn series(number: u64) -> Arc<Series> {
    Arc::new(Series {
        fingerprint: format!("bench/CODE_{}", number / 2),
        domain: "bench".to_owned(),
        code: format!("CODE_{}", number / 2),
        status: if number.is_multiple_of(3) { 503 } else { 404 },
        route: format!("/routes/{number}/{{id}}"),
        service: if number.is_multiple_of(3) {
            format!("service-{}", number % 9)
        } else {
            String::new()
        },
        category: "app".to_owned(),
    })
}

fn batch(number: u64, from: u64, series: &[Arc<Series>]) -> Arc<Batch> {
    let mut events = Vec::new();
    let mut counts: std::collections::BTreeMap<(u64, u64), u64> = std::collections::BTreeMap::new();
    for place in 0..BATCH {
        let event = number * BATCH + place;
        let time = from + event * (30 * DAY) / EVENTS;
        // Some kinds are far more frequent than others.
        let kind = event.wrapping_mul(2_654_435_761) % 10_007 % 1000;
        let kind = kind * kind / 10_000;
        *counts.entry((time - time % MINUTE, kind)).or_default() += 1;
        events.push(StoredEvent {
            id: StoredEvent::first_id(Timestamp::from_unix_millis(time)) + event % (1 << 20),
            time,
            series: Arc::clone(&series[kind as usize]),
            level: "error".to_owned(),
            origin: "declared".to_owned(),
            message: "Service temporarily unavailable".to_owned(),
            display: format!("the calendar at 10.0.0.7 does not answer, try {event}"),
            chain: vec!["connection refused (os error 111)".to_owned()],
            details: None,
            backtrace: None,
            request_id: Some(format!("request-{event}")),
            trace_id: None,
            method: Some("GET".to_owned()),
            user: None,
            operation: None,
            attempts: None,
        });
    }
    let counts = counts
        .into_iter()
        .map(|((minute, kind), count)| CountDelta {
            series: Arc::clone(&series[kind as usize]),
            minute,
            count,
            last: minute + MINUTE - 1,
        });
    Arc::new(Batch {
        instance: "bench".into(),
        number: number + 1,
        sealed: from,
        events,
        counts: counts.collect(),
        requests: Vec::new(),
        journal: Vec::new(),
    })
}

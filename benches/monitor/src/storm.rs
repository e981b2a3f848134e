//! 200 000 failures a second for ten seconds, while the service serves on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use error_runtime::{ErrorLayer, Reporter};
use harness::{Limit, median};
use tower::ServiceExt;

use crate::{event, monitor};

const PER_SECOND: u64 = 200_000;
const SECONDS: u64 = 10;

pub async fn measure() -> Vec<Limit> {
    let folder = tempfile::tempdir().expect("a folder");
    let monitor = monitor(folder.path()).await;
    let app: Router = Router::new()
        .route("/", get(|| async { "hello" }))
        .layer(ErrorLayer::new().reporter(monitor.clone()))
        .layer(monitor.layer());
    let quiet = serve_for(&app, Duration::from_secs(2)).await;
    let before = resident();

    let sent = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let reporter = monitor.clone();
    let storm = {
        let (sent, over) = (Arc::clone(&sent), Arc::clone(&over));
        std::thread::spawn(move || {
            let begun = Instant::now();
            let mut number = 0;
            while number < PER_SECOND * SECONDS {
                let due = (begun.elapsed().as_micros() as u64 * PER_SECOND / 1_000_000)
                    .min(PER_SECOND * SECONDS);
                while number < due {
                    // Each is made anew, as an edge does it.
                    reporter.report_shared(&event(number as usize % 50, number as usize % 7));
                    number += 1;
                }
                // The storm has a rate: in between it leaves the processor to those who serve.
                std::thread::sleep(Duration::from_micros(500));
            }
            sent.store(number, Ordering::Relaxed);
            over.store(true, Ordering::Release);
            begun.elapsed()
        })
    };
    let mut most = before;
    let mut stormy = Vec::new();
    while !over.load(Ordering::Acquire) {
        stormy.push(serve_for(&app, Duration::from_millis(250)).await);
        most = most.max(resident());
    }
    let took = storm.join().expect("the storm ends");
    monitor.flush().await;
    let counted = count(&monitor).await;
    let sent = sent.load(Ordering::Relaxed);
    let grown = most.saturating_sub(before) >> 20;
    let served = median(stormy);
    println!(
        "{:30} {:8.0} failures/s for {:.1} s",
        "a storm",
        sent as f64 / took.as_secs_f64(),
        took.as_secs_f64()
    );
    println!(
        "{:30} {quiet:8.0} requests/s before, {served:.0} in it",
        "served beside it"
    );
    println!("{:30} {grown:8} MiB", "memory grew by");
    println!("{:30} {counted:8} of {sent}", "counted");
    monitor.shutdown().await;
    vec![
        Limit::new(
            sent as f64 / took.as_secs_f64() >= 0.95 * PER_SECOND as f64,
            format!(
                "the storm has 200 000 failures a second: {:.0}",
                sent as f64 / took.as_secs_f64()
            ),
        ),
        Limit::new(
            counted == sent,
            format!("each is counted once: {counted} of {sent}"),
        ),
        Limit::new(
            grown <= 128,
            format!("memory is bounded, by 128 MiB: {grown}"),
        ),
        Limit::new(
            served > 0.1 * quiet,
            format!("requests are served on: {served:.0} a second of {quiet:.0}"),
        ),
    ]
}

/// Requests a second.
async fn serve_for(app: &Router, time: Duration) -> f64 {
    let begun = Instant::now();
    let mut served = 0_u64;
    while begun.elapsed() < time {
        for _ in 0..100 {
            let request = Request::get("/").body(Body::empty()).expect("a request");
            let response = app.clone().oneshot(request).await.expect("infallible");
            assert!(response.status().is_success());
            served += 1;
        }
        tokio::task::yield_now().await;
    }
    served as f64 / begun.elapsed().as_secs_f64()
}

/// All failures, as the store has counted them.
async fn count(monitor: &error_monitor::Monitor) -> u64 {
    use error_monitor::Range;
    use error_monitor::store::{CountQuery, EventFilter, GroupBy};
    use error_runtime::time::Timestamp;
    let now = Timestamp::now().unix_millis();
    let query = CountQuery {
        range: Range::before(Timestamp::from_unix_millis(now + 60_000), 3_600_000),
        group_by: GroupBy::Code,
        step: None,
        filter: EventFilter::default(),
    };
    let rows = monitor.store().counts(&query).await.expect("counts");
    rows.iter().map(|row| row.count).sum()
}

/// Bytes in memory.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

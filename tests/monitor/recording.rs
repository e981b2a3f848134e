//! What becomes of failures and requests on their way: each is counted, whatever becomes of its text.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use error_monitor::store::{ErrorStore as _, EventQuery, SqliteStore};
use error_monitor::{Monitor, Range};
use error_runtime::time::Timestamp;
use error_runtime::{ErrorLayer, Reporter as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::support::{
    Answer, Clock, Fails, MINUTE, SECOND, Server, T0, builder, failure, serve, stats, until,
};

/// Many threads, each with failures of many kinds.
async fn storm(server: &Server, kinds: usize) -> u64 {
    const THREADS: usize = 8;
    const EACH: usize = 4000;
    let monitor = &server.monitor;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for place in 0..EACH {
                    let mut event = failure(T0, &format!("K{}", (place + thread) % kinds));
                    event.route = Some(format!("/r{}", place % 3));
                    monitor.report(&event);
                }
            });
        }
    });
    assert!(monitor.flush().await);
    server.clock.set(T0 + SECOND);
    (THREADS * EACH) as u64
}

fn counts(state: &Value) -> [u64; 4] {
    ["stored", "sampled_out", "dropped", "failed_writes"]
        .map(|key| state["failures"][key].as_u64().unwrap())
}

#[tokio::test]
async fn a_storm_is_counted_to_the_last_failure_though_one_is_kept() {
    let server = Server::with(|builder| builder.samples_per_minute(1)).await;
    let sent = storm(&server, 20).await;
    let found = server.read("errors/stats").await;
    assert_eq!(found["total"], sent);
    let groups = found["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 20);
    assert!(
        groups.iter().all(|group| group["count"] == sent / 20),
        "{groups:?}"
    );
    let state = server.read("monitor").await;
    assert_eq!(counts(&state), [20, sent - 20, 0, 0]);
    assert_eq!(state["size"]["events"], 20);
    // Nor are those of patterns a sample.
    let patterns = server.read("errors/patterns?limit=100").await;
    assert_eq!(patterns["total"], 20);
    for pattern in patterns["patterns"].as_array().unwrap() {
        assert_eq!(
            (&pattern["count"], &pattern["total"]),
            (&json!(sent / 20), &json!(sent / 20))
        );
    }
}

#[tokio::test]
async fn a_tiny_queue_drops_texts_and_no_counts() {
    for (queue, bytes) in [(1, u64::MAX), (16_384, 1), (16_384, 20_000)] {
        let server = Server::with(|builder| {
            builder
                .queue(queue, bytes)
                .samples_per_minute(1_000_000)
                .flush_every(Duration::from_secs(60))
        })
        .await;
        let sent = storm(&server, 7).await;
        assert_eq!(
            server.read("errors/stats").await["total"],
            sent,
            "{queue} {bytes}"
        );
        let state = server.read("monitor").await;
        let [stored, sampled_out, dropped, failed] = counts(&state);
        assert_eq!(
            (stored + dropped, sampled_out, failed),
            (sent, 0, 0),
            "{queue} {bytes}"
        );
        assert!(dropped > 0, "{queue} {bytes}");
        assert_eq!(state["size"]["events"], stored, "{queue} {bytes}");
        if bytes == 1 {
            assert_eq!(stored, 0);
        }
    }
}

/// What is kept of a kind is kept by the minute, and of each kind.
#[tokio::test]
async fn samples_are_of_a_kind_and_a_minute() {
    let server = Server::with(|builder| builder.samples_per_minute(2)).await;
    for (at, kept) in [
        (T0, 4),
        (T0 + MINUTE - 1, 4),
        (T0 + MINUTE, 8),
        (T0 + 2 * MINUTE, 12),
    ] {
        server.fail(at, 5, "ONE", |_| {}).await;
        server.fail(at, 5, "TWO", |_| {}).await;
        assert_eq!(
            server.read("monitor").await["failures"]["stored"],
            kept,
            "{at}"
        );
    }
    server.clock.set(T0 + 3 * MINUTE);
    assert_eq!(server.read("errors/stats").await["total"], 40);
}

#[tokio::test]
async fn nothing_is_kept_in_full_where_no_samples_are_wanted() {
    let server = Server::with(|builder| builder.samples_per_minute(0)).await;
    server.fail(T0, 9, "NONE", |_| {}).await;
    server.clock.set(T0 + SECOND);
    assert_eq!(server.read("errors/stats").await["total"], 9);
    assert_eq!(server.read("logs/recent-errors").await["errors"], json!([]));
    assert_eq!(
        server.read("errors/patterns").await["patterns"][0]["count"],
        9
    );
}

/// There is room for 8192 series; what comes after them is counted by its status.
#[tokio::test]
async fn more_series_than_there_is_room_for_are_counted_all_the_same() {
    let server = Server::with(|builder| builder.samples_per_minute(1)).await;
    for place in 0..12_000_u32 {
        let mut event = failure(T0, &format!("CODE-{place}"));
        event.status = crate::support::status(if place % 4 == 0 { 404 } else { 503 });
        server.report(&event);
        server.report(&event);
    }
    assert!(server.monitor.flush().await);
    server.clock.set(T0 + SECOND);
    let by_code = server.read("errors/stats").await;
    assert_eq!(by_code["total"], 24_000);
    let other = &by_code["groups"][0];
    assert_eq!(other["key"], "_OTHER");
    let others = other["count"].as_u64().unwrap();
    assert!(others >= 2 * (12_000 - 8192), "{others}");
    let sum: u64 = by_code["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["count"].as_u64().unwrap())
        .sum();
    assert_eq!(sum + by_code["other"].as_u64().unwrap(), 24_000);
    let by_status = server.read("errors/stats?group_by=status").await;
    let groups: BTreeMap<_, _> = by_status["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| {
            (
                group["key"].as_str().unwrap(),
                group["count"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(groups, BTreeMap::from([("404", 6000), ("503", 18_000)]));
    let state = server.read("monitor").await;
    let [stored, sampled_out, dropped, _] = counts(&state);
    assert_eq!((stored + sampled_out, dropped), (24_000, 0));
}

/// The counters are read again and again while threads count, and a queue that is short is emptied as it is filled.
#[tokio::test]
async fn counts_are_exact_while_they_are_written() {
    let server = Server::with(|builder| {
        builder
            .queue(8, 64 << 20)
            .samples_per_minute(1_000_000)
            .flush_every(Duration::from_millis(10))
    })
    .await;
    let done = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..4_u64)
        .map(|thread| {
            let (monitor, done) = (server.monitor.clone(), Arc::clone(&done));
            std::thread::spawn(move || {
                let mut sent = 0;
                while !done.load(Ordering::Relaxed) {
                    monitor.report(&failure(T0, &format!("W{}", (sent + thread) % 5)));
                    sent += 1;
                    std::thread::yield_now();
                }
                sent
            })
        })
        .collect();
    for _ in 0..500 {
        assert!(server.monitor.flush().await);
    }
    done.store(true, Ordering::Relaxed);
    let sent: u64 = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    assert!(server.monitor.flush().await);
    server.clock.set(T0 + SECOND);
    assert_eq!(server.read("errors/stats").await["total"], sent);
}

/// An application with an answer of each kind.
fn application(monitor: &Monitor, waits: &Arc<Waits>) -> Router {
    let waits = Arc::clone(waits);
    let hang = async move || {
        let _gone = Gone(Arc::clone(&waits));
        waits.entered.notify_one();
        std::future::pending::<()>().await;
    };
    let nested = Router::new().route(
        "/items/{item}",
        get(|| async { Err::<(), _>(Fails::Upstream) }),
    );
    Router::new()
        .route("/ok", get(|| async { "ok" }))
        .route(
            "/things/{id}",
            get(|| async { Err::<(), _>(Fails::Missing { id: 1 }) }),
        )
        .route("/panics", get(|| async { panic_now() }))
        .route("/handmade", get(|| async { StatusCode::BAD_GATEWAY }))
        .route("/only-post", post(|| async { "ok" }))
        .route("/hangs", get(hang))
        .nest("/shops/{shop}", nested)
        .merge(monitor.router())
        .layer(ErrorLayer::new().reporter(monitor.clone()))
        .layer(monitor.layer())
}

fn panic_now() {
    assert!(std::hint::black_box(false), "a panic of a handler");
}

#[derive(Default)]
struct Waits {
    entered: Notify,
    gone: Notify,
}

struct Gone(Arc<Waits>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.gone.notify_one();
    }
}

#[tokio::test]
async fn requests_and_failures_by_the_template_of_their_route() {
    let waits = Arc::default();
    let server = Server::app(|monitor| application(monitor, &waits)).await;
    for (path, count) in [
        ("/ok", 4),
        ("/things/1", 1),
        ("/things/2", 2),
        ("/panics", 2),
        ("/handmade", 1),
        ("/only-post", 1),
        ("/shops/a/items/1", 1),
        ("/shops/b/items/2", 1),
        ("/nowhere", 3),
    ] {
        for _ in 0..count {
            Answer::plain(server.client.get(server.url(path))).await;
        }
    }
    let all = stats(&server, "").await;
    assert_eq!((&all["requests"], &all["total"]), (&json!(16), &json!(12)));
    assert!((all["server_error_rate"].as_f64().unwrap() - 5.0 / 16.0).abs() < 1e-9);
    let sum = |key: &str| -> u64 {
        all["buckets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|bucket| bucket[key].as_u64().unwrap())
            .sum()
    };
    assert_eq!(
        (sum("requests"), sum("server_errors"), sum("count")),
        (16, 5, 12)
    );
    // Requests, 5xx among them, and failures.
    for (route, requests, server_errors, failures) in [
        ("/ok", 4, 0, 0),
        ("/things/%7Bid%7D", 3, 0, 3),
        ("/panics", 2, 2, 2),
        ("/handmade", 1, 1, 1),
        ("/only-post", 1, 0, 1),
        ("/shops/%7Bshop%7D/items/%7Bitem%7D", 2, 2, 2),
        ("/things/1", 0, 0, 0),
    ] {
        let of = stats(&server, &format!("route={route}")).await;
        let rate = (requests > 0).then(|| f64::from(server_errors) / f64::from(requests));
        let found = (&of["requests"], &of["server_error_rate"], &of["total"]);
        assert_eq!(
            found,
            (&json!(requests), &json!(rate), &json!(failures)),
            "{route}"
        );
    }
    let origins = server.read("logs/recent-errors?route=/panics").await;
    for error in origins["errors"].as_array().unwrap() {
        assert_eq!(
            (&error["origin"], &error["status"]),
            (&json!("panic"), &json!(500))
        );
    }
    let nowhere = server.read("errors/stats?group_by=route").await;
    let empty = nowhere["groups"]
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["key"] == "");
    assert_eq!(empty.unwrap()["count"], 3);
}

/// Nobody knows how it would have ended.
#[tokio::test]
async fn a_request_whose_client_goes_is_not_counted() {
    use std::io::Write as _;
    let waits = Arc::<Waits>::default();
    let server = Server::app(|monitor| application(monitor, &waits)).await;
    for _ in 0..3 {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let mut stream = stream.into_std().unwrap();
        stream
            .write_all(b"GET /hangs HTTP/1.1\r\nHost: here\r\n\r\n")
            .unwrap();
        waits.entered.notified().await;
        drop(stream);
        waits.gone.notified().await;
    }
    Answer::plain(server.client.get(server.url("/ok"))).await;
    let all = stats(&server, "").await;
    assert_eq!((&all["requests"], &all["total"]), (&json!(1), &json!(0)));
}

/// Without a layer that answers a panic, the connection breaks; it is a 500 all the same.
#[tokio::test]
async fn a_panic_that_nobody_answers_is_counted_once() {
    let server = Server::app(|monitor| {
        Router::new()
            .route("/panics", get(|| async { panic_now() }))
            .merge(monitor.router())
            .layer(monitor.layer())
    })
    .await;
    for _ in 0..3 {
        let sent = server.client.get(server.url("/panics")).send().await;
        assert!(sent.is_err(), "nobody answers");
    }
    let of = stats(&server, "route=/panics").await;
    assert_eq!(
        (&of["requests"], &of["server_error_rate"], &of["total"]),
        (&json!(3), &json!(1.0), &json!(0))
    );
}

/// For frameworks without tower: the same counters, by hand, and from many threads.
#[tokio::test]
async fn requests_counted_by_hand_are_exact() {
    const EACH: u64 = 30_000;
    let server = Server::app(error_monitor::Monitor::router).await;
    let requests = server.monitor.requests();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for place in 0..EACH {
                    let status = [200, 302, 404, 500, 503][usize::try_from(place % 5).unwrap()];
                    requests.count(
                        ["/a", "/b"][usize::try_from(place % 2).unwrap()],
                        crate::support::status(status),
                    );
                }
            });
        }
    });
    let all = stats(&server, "").await;
    assert_eq!(
        (&all["requests"], &all["server_error_rate"]),
        (&json!(4 * EACH), &json!(0.4))
    );
    let a = stats(&server, "route=/a").await;
    assert_eq!((&a["requests"], &a["total"]), (&json!(2 * EACH), &json!(0)));
}

/// Names that are the same once they are fit to be kept.
#[tokio::test]
async fn requests_of_routes_with_odd_names_are_exact() {
    let server = Server::app(error_monitor::Monitor::router).await;
    let long = "/long".repeat(200);
    for round in 1..=3_u64 {
        for route in [
            "/odd\0",
            "/odd\u{fffd}",
            "/odd\u{1b}[31m",
            "",
            &long,
            &format!("{long}-other"),
        ] {
            server.monitor.requests().count(route, StatusCode::OK);
        }
        assert_eq!(stats(&server, "").await["requests"], 6 * round);
    }
}

#[tokio::test]
async fn more_routes_than_there_is_room_for_are_counted_all_the_same() {
    let server = Server::app(error_monitor::Monitor::router).await;
    for place in 0..6000 {
        server
            .monitor
            .requests()
            .count(&format!("/r{place}"), StatusCode::OK);
    }
    assert_eq!(stats(&server, "").await["requests"], 6000);
}

#[tokio::test]
async fn monitors_of_one_process_are_apart() {
    let (one, two) = (Server::start().await, Server::start().await);
    one.fail(T0, 3, "ONE", |_| {}).await;
    two.fail(T0, 5, "TWO", |_| {}).await;
    one.clock.set(T0 + SECOND);
    two.clock.set(T0 + SECOND);
    for (server, code, total) in [(&one, "ONE", 3), (&two, "TWO", 5)] {
        let stats = server.read("errors/stats").await;
        assert_eq!(
            (&stats["total"], &stats["groups"][0]["key"]),
            (&json!(total), &json!(code))
        );
    }
    assert_ne!(one.monitor.instance(), two.monitor.instance());
}

/// One application may report to several, each once.
#[tokio::test]
async fn each_of_two_monitors_of_one_application_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let other = builder(&folder)
        .token(crate::support::OPERATOR)
        .build()
        .await
        .unwrap();
    let server = Server::app(|monitor| {
        Router::new()
            .route(
                "/things/{id}",
                get(|| async { Err::<(), _>(Fails::Missing { id: 1 }) }),
            )
            .merge(monitor.router())
            .layer(
                ErrorLayer::new()
                    .reporter(monitor.clone())
                    .reporter(other.clone())
                    .reporter(monitor.clone()),
            )
            .layer(monitor.layer())
            .layer(other.layer())
    })
    .await;
    let second = serve(other.router()).await;
    Answer::plain(server.client.get(server.url("/things/1"))).await;
    let mine = stats(&server, "").await;
    assert!(other.flush().await);
    let url = format!("http://{second}/admin/api/monitoring/errors/stats");
    let theirs = Answer::of(server.client.get(url).bearer_auth(crate::support::OPERATOR))
        .await
        .ok();
    for stats in [mine, theirs] {
        assert_eq!(
            (&stats["total"], &stats["requests"]),
            (&json!(1), &json!(1))
        );
    }
}

async fn events_in(path: &std::path::Path) -> usize {
    let store = SqliteStore::open(path).unwrap();
    let query = EventQuery {
        limit: 500,
        ..EventQuery::default()
    };
    store
        .events(&query)
        .await
        .map_or(0, |page| page.events.len())
}

#[tokio::test]
async fn shutdown_writes_everything_that_came_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::new(T0);
    let monitor = builder(&folder)
        .clock(clock.source())
        .flush_every(Duration::from_secs(60))
        .build()
        .await
        .unwrap();
    for _ in 0..150 {
        monitor.report(&failure(T0, "LAST"));
    }
    monitor.requests().count("/a", StatusCode::OK);
    assert!(monitor.shutdown().await);
    monitor.report(&failure(T0, "TOO LATE"));
    assert!(
        !monitor.flush().await && !monitor.shutdown().await,
        "it has ended"
    );
    let path = folder.path().join("errors.db");
    assert_eq!(events_in(&path).await, 150);
    let store = SqliteStore::open(&path).unwrap();
    let query = error_monitor::store::CountQuery {
        range: Range::before(Timestamp::from_unix_millis(T0 + MINUTE), MINUTE),
        group_by: error_monitor::store::GroupBy::Code,
        step: None,
        filter: error_monitor::store::EventFilter::default(),
    };
    let rows = store.counts(&query).await.unwrap();
    let found: Vec<_> = rows.iter().map(|row| (&*row.key, row.count)).collect();
    assert_eq!(found, [("LAST", 150)]);
}

#[tokio::test]
async fn a_monitor_that_is_dropped_writes_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = builder(&folder)
        .token(crate::support::OPERATOR)
        .flush_every(Duration::from_secs(60))
        .build()
        .await
        .unwrap();
    let router: Router = monitor.router();
    let copy = monitor.clone();
    for _ in 0..40 {
        copy.report(&failure(T0, "LAST"));
    }
    drop((monitor, copy));
    let path = folder.path().join("errors.db");
    until("it is written", async || events_in(&path).await == 40).await;
    // What it served is still there, and says that the store is closed.
    let address = serve(router).await;
    let url = |path: &str| format!("http://{address}/admin/api/monitoring/{path}");
    let client = reqwest::Client::new();
    let token = crate::support::OPERATOR;
    let closed = async || {
        let request = client.get(url("logs/recent-errors")).bearer_auth(token);
        Answer::of(request).await.status == 503
    };
    until("the store is closed", closed).await;
    let alive = Answer::of(client.get(url("health/check"))).await;
    assert_eq!(alive.ok(), json!({ "status": "pass" }));
}

/// The next process goes on where the one before has ended.
#[tokio::test]
async fn a_second_process_adds_to_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut instances = Vec::new();
    for round in 1..=3_u64 {
        let clock = Clock::new(T0 + round);
        let monitor = builder(&folder)
            .token(crate::support::OPERATOR)
            .clock(clock.source())
            .build()
            .await
            .unwrap();
        monitor.report(&failure(T0 + round, "AGAIN"));
        assert!(monitor.flush().await);
        let address = serve(monitor.router()).await;
        let url = format!(
            "http://{address}/admin/api/monitoring/errors/patterns?to=2026-01-01T10:01:00Z"
        );
        let patterns = Answer::of(
            reqwest::Client::new()
                .get(url)
                .bearer_auth(crate::support::OPERATOR),
        )
        .await
        .ok();
        assert_eq!(patterns["patterns"][0]["total"], round);
        instances.push(monitor.instance().to_owned());
        assert!(monitor.shutdown().await);
    }
    instances.dedup();
    assert_eq!(instances.len(), 3, "each has a name of its own");
}

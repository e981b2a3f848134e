//! When somebody is told, by kind of condition. The clock stands still until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use error_monitor::store::GroupBy;
use error_monitor::{AlertRule, Budget, Condition, Finding, HealthCheck};
use error_runtime::time::Timestamp;
use error_runtime::{Breakers, CircuitBreaker};
use serde_json::json;
use tokio::net::TcpListener;

use crate::ops::{HOUR, MINUTE, Served, TestClock, builder, fail, requests};
use crate::receiver::{Receiver, minutes, phases, triples, trusting, waiting};

#[tokio::test]
async fn counts_are_told_apart_and_wait_for_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::willing().await;
    let rule = AlertRule::new("counts", Condition::count(5, minutes(10)))
        .group_by(GroupBy::Code)
        .holds_for(minutes(2))
        .repeat(minutes(3));
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(receiver.webhook("counts"))
        .alert(rule);
    let served = Served::start(building).await;
    for (code, count) in [("A", 3), ("B", 5), ("C", 4)] {
        fail(&served.monitor, clock.millis(), code, "/x", count).await;
    }
    // Of the same code, from elsewhere: together there are five.
    fail(&served.monitor, clock.millis(), "A", "/y", 2).await;
    served.look().await;
    assert_eq!(
        phases(&served).await,
        triples(&[("counts", "A", "pending"), ("counts", "B", "pending")])
    );
    clock.advance(MINUTE);
    served.look().await;
    assert_eq!(receiver.count(), 0, "it did not last for long enough");
    clock.advance(MINUTE);
    served.look().await;
    let firing = triples(&[("counts", "A", "firing"), ("counts", "B", "firing")]);
    assert_eq!(phases(&served).await, firing);
    let mut told = receiver.told();
    told.sort();
    assert_eq!(
        told,
        triples(&[("firing", "counts", "A"), ("firing", "counts", "B")])
    );
    // It is said once, and again after its time.
    clock.advance(2 * MINUTE);
    served.look().await;
    assert_eq!(receiver.count(), 2);
    clock.advance(MINUTE);
    served.look().await;
    let mut told = receiver.told().split_off(2);
    told.sort();
    assert_eq!(
        told,
        triples(&[("repeated", "counts", "A"), ("repeated", "counts", "B")])
    );
    // One ends before the other.
    clock.advance(MINUTE);
    fail(&served.monitor, clock.millis(), "B", "/x", 5).await;
    served.look().await;
    clock.advance(6 * MINUTE);
    served.look().await;
    assert_eq!(phases(&served).await, triples(&[("counts", "B", "firing")]));
    assert!(
        receiver
            .told()
            .contains(&triples(&[("resolved", "counts", "A")])[0])
    );
    clock.advance(20 * MINUTE);
    served.look().await;
    assert_eq!(phases(&served).await, []);
    let resolved = receiver.told().into_iter();
    let resolved: Vec<_> = resolved.filter(|(event, ..)| event == "resolved").collect();
    assert_eq!(
        resolved,
        triples(&[("resolved", "counts", "A"), ("resolved", "counts", "B")])
    );
    assert_eq!(waiting(&served).await, 0);
}

#[tokio::test]
async fn what_ends_before_its_time_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::willing().await;
    let rule = AlertRule::new("brief", Condition::count(1, minutes(1))).holds_for(minutes(5));
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(receiver.webhook("brief"))
        .alert(rule);
    let served = Served::start(building).await;
    fail(&served.monitor, clock.millis(), "A", "/x", 1).await;
    served.look().await;
    assert_eq!(phases(&served).await, triples(&[("brief", "", "pending")]));
    clock.advance(3 * MINUTE);
    served.look().await;
    assert_eq!(phases(&served).await, []);
    // It begins anew: what was before does not count.
    fail(&served.monitor, clock.millis(), "A", "/x", 1).await;
    served.look().await;
    assert_eq!(phases(&served).await, triples(&[("brief", "", "pending")]));
    clock.advance(3 * MINUTE);
    served.look().await;
    assert_eq!((receiver.count(), waiting(&served).await), (0, 0));
}

#[tokio::test]
async fn a_filter_holds_for_counts() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::willing().await;
    let rule = |name: &str, change: fn(&mut error_monitor::store::EventFilter)| {
        AlertRule::new(name, Condition::count(2, minutes(5))).filter(change)
    };
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(receiver.webhook("filtered"))
        .alert(rule("by-code", |filter| filter.code = Some("A".to_owned())))
        .alert(rule("by-route", |filter| {
            filter.route = Some("/y".to_owned());
        }))
        .alert(rule("by-status", |filter| filter.status = Some(404)))
        .alert(rule("by-all", |_| {}));
    let served = Served::start(building).await;
    fail(&served.monitor, clock.millis(), "A", "/x", 1).await;
    fail(&served.monitor, clock.millis(), "B", "/x", 1).await;
    served.look().await;
    assert_eq!(phases(&served).await, triples(&[("by-all", "", "firing")]));
    fail(&served.monitor, clock.millis(), "A", "/y", 1).await;
    served.look().await;
    assert_eq!(
        phases(&served).await,
        triples(&[("by-all", "", "firing"), ("by-code", "", "firing")])
    );
    fail(&served.monitor, clock.millis(), "B", "/y", 1).await;
    served.look().await;
    assert_eq!(phases(&served).await.len(), 3);
}

#[tokio::test]
async fn rates_need_requests() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::willing().await;
    let few: AlertRule = serde_json::from_value(json!({
        "name": "few",
        "when": { "kind": "rate", "threshold": 0.5, "window": "5m", "min_requests": 2 },
        "filter": { "route": "/x" },
    }))
    .unwrap();
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(receiver.webhook("rates"))
        .alert(AlertRule::new("usual", Condition::rate(0.1, minutes(5))))
        .alert(few);
    let served = Served::start(building).await;
    requests(&served.monitor, clock.millis(), "/x", 1, 1).await;
    served.look().await;
    assert_eq!(phases(&served).await, []);
    requests(&served.monitor, clock.millis(), "/x", 1, 0).await;
    served.look().await;
    // Half of two; exactly the threshold is enough.
    assert_eq!(phases(&served).await, triples(&[("few", "", "firing")]));
    requests(&served.monitor, clock.millis(), "/y", 17, 1).await;
    served.look().await;
    assert_eq!(phases(&served).await, triples(&[("few", "", "firing")]));
    requests(&served.monitor, clock.millis(), "/y", 1, 0).await;
    served.look().await;
    // Two of twenty.
    assert_eq!(
        phases(&served).await,
        triples(&[("few", "", "firing"), ("usual", "", "firing")])
    );
    requests(&served.monitor, clock.millis(), "/y", 1, 0).await;
    served.look().await;
    assert_eq!(phases(&served).await, triples(&[("few", "", "firing")]));
    clock.advance(10 * MINUTE);
    served.look().await;
    assert_eq!(phases(&served).await, []);
    assert_eq!(receiver.events("usual"), ["firing", "resolved"]);
    assert_eq!(receiver.events("few"), ["firing", "resolved"]);
}

#[tokio::test]
async fn a_new_code_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::willing().await;
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(receiver.webhook("new"))
        .alert(AlertRule::new("new", Condition::new_code()));
    let served = Served::start(building).await;
    fail(&served.monitor, clock.millis(), "OLD", "/x", 1).await;
    served.look().await;
    assert_eq!(receiver.told(), triples(&[("firing", "new", "tests/OLD")]));
    clock.advance(10 * MINUTE);
    served.look().await;
    assert_eq!(receiver.events("new"), ["firing", "resolved"]);
    // It is not new any more, and another is.
    fail(&served.monitor, clock.millis(), "OLD", "/x", 100).await;
    fail(&served.monitor, clock.millis(), "NEW", "/x", 1).await;
    served.look().await;
    assert_eq!(
        receiver.told().split_off(2),
        triples(&[("firing", "new", "tests/NEW")])
    );
}

#[tokio::test]
async fn an_open_breaker_is_told_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::willing().await;
    let only: AlertRule = serde_json::from_value(json!({
        "name": "open",
        "when": { "kind": "breaker_open", "service": "alerts-test-open", "longer_than": "5m" },
    }))
    .unwrap();
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(receiver.webhook("open"))
        .alert(only);
    let served = Served::start(building).await;
    let register = |name: &'static str| {
        let breaker = CircuitBreaker::builder(name).build().unwrap();
        Breakers::global().register(breaker)
    };
    let breaker = register("alerts-test-open");
    let another = register("alerts-test-open-other");
    // The system's time is where the test's clock begins, up to a minute; five are far from it.
    breaker.force_open(None);
    another.force_open(None);
    served.look().await;
    clock.advance(3 * MINUTE);
    served.look().await;
    assert_eq!(phases(&served).await, []);
    clock.advance(3 * MINUTE);
    served.look().await;
    assert_eq!(
        receiver.told(),
        triples(&[("firing", "open", "alerts-test-open")])
    );
    breaker.reset();
    served.look().await;
    assert_eq!(receiver.events("open"), ["firing", "resolved"]);
    another.reset();
}

#[tokio::test]
async fn a_failing_check_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::willing().await;
    let fails = Arc::new(AtomicBool::new(false));
    let check = {
        let fails = Arc::clone(&fails);
        HealthCheck::new("database", move || {
            let fails = fails.load(Ordering::SeqCst);
            async move {
                if fails {
                    Finding::fail("no route to host")
                } else {
                    Finding::pass()
                }
            }
        })
        .cache(Duration::ZERO)
    };
    let warns = HealthCheck::new("slow", || async { Finding::warn("slow") }).cache(Duration::ZERO);
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(receiver.webhook("health"))
        .check(check)
        .check(warns)
        .alert(AlertRule::new("health", Condition::health_failing()).holds_for(minutes(1)));
    let served = Served::start(building).await;
    served.look().await;
    assert_eq!(phases(&served).await, []);
    fails.store(true, Ordering::SeqCst);
    served.look().await;
    assert_eq!(
        phases(&served).await,
        triples(&[("health", "database", "pending")])
    );
    clock.advance(MINUTE);
    served.look().await;
    assert_eq!(
        receiver.told(),
        triples(&[("firing", "health", "database")])
    );
    let summary = receiver.hits()[0].json()["data"]["summary"].clone();
    assert!(
        summary.as_str().unwrap().contains("no route to host"),
        "{summary}"
    );
    fails.store(false, Ordering::SeqCst);
    served.look().await;
    assert_eq!(receiver.events("health"), ["firing", "resolved"]);
}

#[tokio::test]
async fn a_burning_budget_is_told_by_its_windows() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::willing().await;
    let only: AlertRule = serde_json::from_value(json!({
        "name": "burn",
        "when": { "kind": "budget_burn", "budget": "watched" },
    }))
    .unwrap();
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(receiver.webhook("burn"))
        .budget(Budget::new("watched", 0.99).route("/x"))
        .budget(Budget::new("other", 0.99))
        .alert(only);
    let served = Served::start(building).await;
    // Ten times too fast: three of the four pairs.
    requests(&served.monitor, clock.millis(), "/x", 1000, 100).await;
    served.look().await;
    let mut told = receiver.told();
    told.sort();
    let burning = ["watched 1d/2h", "watched 3d/6h", "watched 6h/30m"];
    assert_eq!(
        told,
        triples(&burning.map(|group| ("firing", "burn", group)))
    );
    // The shorter windows end it, one after the other.
    clock.advance(HOUR);
    served.look().await;
    assert_eq!(
        receiver.told().split_off(3),
        triples(&[("resolved", "burn", "watched 6h/30m")])
    );
    clock.advance(8 * HOUR);
    served.look().await;
    assert_eq!(phases(&served).await, []);
}

/// Failures that requests have met, all the way; by the system's clock, moved on when they are in the store.
#[tokio::test]
async fn failures_of_requests_fire() {
    use axum::routing::get;
    use error_runtime::{ApiError, ErrorLayer};
    use std::sync::atomic::AtomicU64;

    #[derive(Debug, ApiError)]
    enum Fails {
        #[api(status = 503, display = "internal text")]
        Broken,
    }

    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::willing().await;
    let ahead = Arc::new(AtomicU64::new(0));
    let now = {
        let ahead = Arc::clone(&ahead);
        move || {
            let millis = Timestamp::now().unix_millis() + ahead.load(Ordering::SeqCst);
            Timestamp::from_unix_millis(millis)
        }
    };
    let building = trusting(builder(&folder, &TestClock::new()), &[&receiver])
        .clock(now)
        .channel(receiver.webhook("requests"))
        .alert(
            AlertRule::new("count", Condition::count(20, minutes(5))).filter(|filter| {
                filter.code = Some("BROKEN".to_owned());
            }),
        )
        .alert(AlertRule::new("rate", Condition::rate(0.9, minutes(5))));
    let served = Served::start(building).await;
    let app: axum::Router = axum::Router::new()
        .route("/broken", get(|| async { Err::<(), _>(Fails::Broken) }))
        .layer(ErrorLayer::new().reporter(served.monitor.clone()))
        .layer(served.monitor.layer());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    for _ in 0..20 {
        let url = format!("http://{address}/broken");
        served.client.get(url).send().await.unwrap();
    }
    receiver.has(2).await;
    assert_eq!(receiver.events("count"), ["firing"]);
    assert_eq!(receiver.events("rate"), ["firing"]);
    ahead.store(10 * MINUTE, Ordering::SeqCst);
    receiver.has(4).await;
    assert_eq!(receiver.events("count"), ["firing", "resolved"]);
    assert_eq!(receiver.events("rate"), ["firing", "resolved"]);
    // What the log reads is not for a chat.
    assert!(
        !receiver
            .hits()
            .iter()
            .any(|hit| hit.body.contains("internal text"))
    );
}

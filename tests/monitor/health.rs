//! The checks, whether the service is ready, and the health of what it needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use error_monitor::store::{JournalKind, JournalQuery};
use error_monitor::{Finding, HealthCheck};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::{Answer, BREAKERS, MINUTE, SECOND, Server, T0, VIEWER, breaker};

/// A check that finds what it is told to: 0 well, 1 a warning, 2 a failure.
fn told(name: &str, what: &Arc<AtomicU32>) -> HealthCheck {
    let what = Arc::clone(what);
    HealthCheck::new(name, move || {
        let found = match what.load(Ordering::SeqCst) {
            0 => Finding::pass(),
            1 => Finding::warn("slow"),
            _ => Finding::fail("away"),
        };
        async move { found }
    })
    .cache(Duration::ZERO)
}

fn passing(name: &str) -> HealthCheck {
    told(name, &Arc::default())
}

async fn anonymous(server: &Server, path: &str) -> Answer {
    Answer::of(server.request(Method::GET, path)).await
}

#[tokio::test]
async fn liveness_asks_nothing_of_anybody() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let check = HealthCheck::new("asked", move || {
        count.fetch_add(1, Ordering::SeqCst);
        async { Err::<(), _>("away") }
    });
    let server = Server::with(|builder| builder.check(check.critical(true))).await;
    let answer = anonymous(&server, "health/check").await;
    assert_eq!(
        answer.header("content-type"),
        Some("application/health+json")
    );
    assert_eq!(answer.ok(), json!({ "status": "pass" }));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn ready_is_what_is_critical() {
    let (critical, other) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let server = Server::with(|builder| {
        builder
            .check(told("database", &critical).critical(true))
            .check(told("mail", &other))
    })
    .await;
    for (database, mail, code, status) in [
        (0, 0, 200, "pass"),
        (0, 1, 200, "warn"),
        // What is not critical keeps nobody from getting requests.
        (0, 2, 200, "warn"),
        (1, 0, 200, "warn"),
        (1, 2, 200, "warn"),
        (2, 0, 503, "fail"),
        (2, 2, 503, "fail"),
        (0, 0, 200, "pass"),
    ] {
        critical.store(database, Ordering::SeqCst);
        other.store(mail, Ordering::SeqCst);
        let answer = anonymous(&server, "health/ready").await;
        assert_eq!(
            answer.header("content-type"),
            Some("application/health+json")
        );
        assert_eq!(answer.status, code, "{database} {mail}");
        // Those who have not signed in learn no more.
        assert_eq!(
            answer.json(),
            json!({ "status": status }),
            "{database} {mail}"
        );
    }
}

#[tokio::test]
async fn details_are_for_those_who_have_signed_in() {
    let failing = Arc::new(AtomicU32::new(2));
    let server = Server::with(|builder| {
        builder
            .check(told("database", &failing).critical(true).service("db"))
            .check(passing("mail"))
    })
    .await;
    let request = server.request(Method::GET, "health/ready");
    let answer = Answer::of(request.bearer_auth(VIEWER)).await;
    assert_eq!(answer.status, 503);
    let mut body = answer.json();
    for place in 0..2 {
        assert!(body["checks"][place]["took_ms"].take().is_u64());
    }
    let name = body["store"]["name"].take();
    assert!(name.as_str().unwrap().starts_with("sqlite "));
    let expected = json!({
        "status": "fail",
        "checks": [
            {
                "name": "database", "service": "db", "critical": true, "status": "fail",
                "message": "away", "checked_at": "2026-01-01T10:00:00.000Z", "took_ms": null,
            },
            {
                "name": "mail", "service": "mail", "critical": false, "status": "pass",
                "message": null, "checked_at": "2026-01-01T10:00:00.000Z", "took_ms": null,
            },
        ],
        "store": { "name": null, "status": "pass", "message": null },
    });
    assert_eq!(body, expected);
    for token in ["wrong-token-0123456789", ""] {
        let request = server.request(Method::GET, "health/ready");
        let answer = Answer::of(request.bearer_auth(token)).await;
        assert_eq!(
            (answer.status, answer.json()),
            (503, json!({ "status": "fail" }))
        );
    }
}

#[tokio::test]
async fn a_check_that_panics_or_hangs_has_failed() {
    let first = Arc::new(AtomicUsize::new(0));
    let second = Arc::clone(&first);
    let server = Server::with(move |builder| {
        builder
            .check(HealthCheck::new("panics", || async {
                assert!(std::hint::black_box(false), "in the future");
                Ok::<_, String>(())
            }))
            .check(HealthCheck::new("panics at once", || {
                assert!(std::hint::black_box(false), "before there is one");
                async { Ok::<_, String>(()) }
            }))
            .check(
                HealthCheck::new("hangs", move || {
                    second.fetch_add(1, Ordering::SeqCst);
                    std::future::pending::<Result<(), String>>()
                })
                .timeout(Duration::from_millis(1)),
            )
            .check(HealthCheck::new("long", || async {
                Err::<(), _>("x".repeat(1 << 20))
            }))
            .check(passing("fine"))
    })
    .await;
    let ready = server.get("health/ready").await.ok();
    let found: Vec<_> = ready["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["status"].as_str().unwrap(), check["message"].clone()))
        .collect();
    assert_eq!(found[0], ("fail", json!("the check panicked")));
    assert_eq!(found[1], ("fail", json!("the check panicked")));
    assert_eq!(found[2], ("fail", json!("no answer within 1ms")));
    assert_eq!(found[3].0, "fail");
    assert_eq!(found[3].1.as_str().unwrap().len(), 1024 + "…".len());
    assert_eq!(found[4], ("pass", Value::Null));
    assert_eq!(first.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_answer_holds_for_as_long_as_it_may() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = |asked: &Arc<AtomicUsize>, cache| {
        let asked = Arc::clone(asked);
        HealthCheck::new("counted", move || {
            asked.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, String>(()) }
        })
        .cache(cache)
    };
    let check = count(&asked, Duration::from_secs(3600));
    let server = Server::with(|builder| builder.check(check)).await;
    for _ in 0..5 {
        server.read("health/ready").await;
        server.read("health/services").await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let each_time = Arc::new(AtomicUsize::new(0));
    let check = count(&each_time, Duration::ZERO);
    let server = Server::with(|builder| builder.check(check)).await;
    for _ in 0..5 {
        server.read("health/ready").await;
    }
    assert_eq!(each_time.load(Ordering::SeqCst), 5);
}

/// However many ask while a check runs, it runs once.
#[tokio::test]
async fn those_who_come_meanwhile_get_the_same_answer() {
    let (asked, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let check = {
        let (asked, go) = (Arc::clone(&asked), Arc::clone(&go));
        HealthCheck::new("waits", move || {
            asked.fetch_add(1, Ordering::SeqCst);
            let go = Arc::clone(&go);
            async move {
                go.notified().await;
                Ok::<_, String>(())
            }
        })
        .timeout(Duration::from_secs(60))
        .cache(Duration::from_secs(60))
    };
    let server = Arc::new(Server::with(|builder| builder.check(check)).await);
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let server = Arc::clone(&server);
            tokio::spawn(async move { anonymous(&server, "health/ready").await })
        })
        .collect();
    crate::support::until("it is asked", async || asked.load(Ordering::SeqCst) > 0).await;
    // Liveness does not wait for it.
    assert_eq!(anonymous(&server, "health/check").await.status, 200);
    go.notify_one();
    for answer in asking {
        assert_eq!(answer.await.unwrap().ok(), json!({ "status": "pass" }));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_journal_has_each_change_of_a_check() {
    let what = Arc::new(AtomicU32::new(0));
    let check = told("database", &what);
    let server = Server::with(|builder| builder.check(check)).await;
    for (second, state) in (0..).zip([0, 0, 2, 2, 1, 0]) {
        server.clock.set(T0 + second * SECOND);
        what.store(state, Ordering::SeqCst);
        server.read("health/ready").await;
    }
    assert!(server.monitor.flush().await);
    let query = JournalQuery {
        kind: JournalKind::Health,
        subject: Some("database".to_owned()),
        before: None,
        limit: 100,
    };
    let page = server.monitor.store().journal(&query).await.unwrap();
    let found: Vec<_> = page
        .entries
        .into_iter()
        .map(|(entry, _)| entry.body)
        .collect();
    let change = |from: &str, to: &str, message: Option<&str>| json!({ "from": from, "to": to, "message": message });
    let expected = [
        change("warn", "pass", None),
        change("fail", "warn", Some("slow")),
        change("pass", "fail", Some("away")),
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn services_are_breakers_checks_and_failures_together() {
    let _shared = BREAKERS.read().await;
    let failing = Arc::new(AtomicU32::new(2));
    let check = told("db-ping", &failing).service("services-db");
    let server = Server::with(|builder| builder.check(check)).await;
    let db = breaker("services-db");
    db.try_acquire().unwrap().success();
    breaker("services-open").try_acquire().unwrap().failure();
    server
        .fail(T0 - 6 * MINUTE, 4, "OLD", |event| {
            event.service = Some("services-mail".to_owned());
        })
        .await;
    server
        .fail(T0 - 4 * MINUTE, 3, "NEW", |event| {
            event.service = Some("services-mail".to_owned());
        })
        .await;
    server.clock.set(T0);
    let services = server.read("health/services").await;
    let of = |name: &str| -> &Value {
        let all = services["services"].as_array().unwrap();
        all.iter()
            .find(|one| one["name"] == name)
            .unwrap_or_else(|| panic!("{name}: {services:#}"))
    };
    let one = of("services-db");
    assert_eq!(
        (&one["status"], &one["errors"]),
        (&json!("fail"), &json!(0))
    );
    assert_eq!(one["breaker"]["state"], "closed");
    assert_eq!(one["breaker"]["totals"]["successes"], 1);
    assert_eq!(
        one["failure_rate"],
        one["breaker"]["window"]["failure_rate"]
    );
    assert_eq!(one["checks"][0]["name"], "db-ping");
    let open = of("services-open");
    assert_eq!(
        (&open["status"], &open["breaker"]["state"]),
        (&json!("warn"), &json!("open"))
    );
    assert_eq!(open["checks"], json!([]));
    let mail = of("services-mail");
    let expected = json!({
        "name": "services-mail", "status": "pass", "errors": 3,
        "failure_rate": null, "breaker": null, "checks": [],
    });
    assert_eq!(mail, &expected);
    // Neither an open breaker nor what is not critical is worse than a warning.
    assert_eq!(services["status"], "warn");
    assert_eq!(services["instance"], server.monitor.instance());
    assert_eq!(services["store"]["status"], "pass");
    let names: Vec<_> = services["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert!(names.is_sorted());
    // An open breaker is no reason to get no requests either.
    assert_eq!(
        anonymous(&server, "health/ready").await.ok(),
        json!({ "status": "warn" })
    );
}

#[tokio::test]
async fn every_state_but_closed_and_disabled_is_a_warning() {
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    let handle = breaker("states");
    let status = async || {
        let services = server.read("health/services").await;
        let all = services["services"].as_array().unwrap();
        let one = all.iter().find(|one| one["name"] == "states").unwrap();
        assert_ne!(services["status"], "fail");
        one["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status().await, "pass");
    handle.force_open(None);
    assert_eq!(status().await, "warn");
    handle.disable();
    assert_eq!(status().await, "pass");
    handle.automatic();
    handle.try_acquire().unwrap().failure();
    assert_eq!(status().await, "warn");
}

#[tokio::test]
async fn a_critical_check_fails_the_services_too() {
    let failing = Arc::new(AtomicU32::new(2));
    let check = told("db", &failing).critical(true);
    let server = Server::with(|builder| builder.check(check)).await;
    let services = server.read("health/services").await;
    assert_eq!(services["status"], "fail");
}

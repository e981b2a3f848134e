//! What each endpoint answers, to the letter.

use std::collections::BTreeMap;

use error_runtime::{ErrorEvent, Level};
use reqwest::Method;
use serde_json::{Value, json};

use crate::schema;
use crate::support::{
    Answer, BREAKERS, HOUR, MINUTE, MOUNT, OPERATOR, SECOND, Server, T0, VIEWER, breaker, failure,
    moment, status, until,
};

/// Failures from half past eight to half past nine, on the edges of what is asked for below.
async fn a_morning() -> Server {
    let server = Server::start().await;
    let nine = T0 - HOUR;
    let upstream = |event: &mut ErrorEvent| {
        event.route = Some("/orders/{id}".to_owned());
        event.service = Some("warehouse".to_owned());
    };
    let missing = |event: &mut ErrorEvent| {
        event.status = status(404);
        event.category = "app".into();
        event.route = Some("/things".to_owned());
    };
    server.fail(nine - 30 * MINUTE - 1, 7, "X", upstream).await;
    server.fail(nine - 1, 1, "X", upstream).await;
    server.fail(nine, 2, "X", upstream).await;
    server.fail(nine + 15 * MINUTE - 1, 1, "Y", missing).await;
    server.fail(nine + 15 * MINUTE, 5, "Y", missing).await;
    server.fail(nine + 30 * MINUTE, 3, "X", upstream).await;
    server.clock.set(T0);
    server
}

const HALF_HOUR: &str = "from=2026-01-01T09:00:00Z&to=2026-01-01T09:30:00Z";

#[tokio::test]
async fn stats_to_the_letter() {
    let server = a_morning().await;
    let stats = server
        .read(&format!("errors/stats?{HALF_HOUR}&bucket=15m"))
        .await;
    let expected = json!({
        "from": "2026-01-01T09:00:00.000Z",
        "to": "2026-01-01T09:30:00.000Z",
        "group_by": "code",
        "bucket": "15m",
        "total": 8,
        "requests": 0,
        "server_error_rate": null,
        "previous": { "from": "2026-01-01T08:30:00.000Z", "total": 1, "change": 7.0 },
        "buckets": [
            { "start": "2026-01-01T09:00:00.000Z", "count": 3, "requests": 0, "server_errors": 0 },
            { "start": "2026-01-01T09:15:00.000Z", "count": 5, "requests": 0, "server_errors": 0 },
        ],
        "groups": [
            { "key": "Y", "count": 6, "share": 0.75, "previous": 0, "change": null, "counts": [1, 5] },
            { "key": "X", "count": 2, "share": 0.25, "previous": 1, "change": 1.0, "counts": [2, 0] },
        ],
        "other": 0,
    });
    assert_eq!(stats, expected);
}

#[tokio::test]
async fn stats_are_grouped_by_whatever_is_asked_for() {
    let server = a_morning().await;
    for (by, one, other) in [
        ("code", "X", "Y"),
        ("service", "warehouse", ""),
        ("status", "503", "404"),
        ("route", "/orders/{id}", "/things"),
        ("category", "performance", "app"),
        ("fingerprint", "monitor-tests/X", "monitor-tests/Y"),
    ] {
        let stats = server
            .read(&format!("errors/stats?{HALF_HOUR}&group_by={by}"))
            .await;
        assert_eq!(stats["group_by"], by);
        let groups = stats["groups"].as_array().unwrap();
        let counts: Vec<_> = groups
            .iter()
            .map(|group| {
                (
                    group["key"].as_str().unwrap(),
                    group["count"].as_u64().unwrap(),
                )
            })
            .collect();
        assert_eq!(counts, [(other, 6), (one, 2)], "{by}");
    }
}

#[tokio::test]
async fn stats_of_some_failures_alone() {
    let server = a_morning().await;
    for (filter, total, previous) in [
        ("code=X", 2, 1),
        ("code=x", 0, 0),
        ("code=X%25", 0, 0),
        ("status=404", 6, 0),
        ("status=503", 2, 1),
        ("service=warehouse", 2, 1),
        ("category=performance", 2, 1),
        ("category=app", 6, 0),
        ("route=/orders/%7Bid%7D", 2, 1),
        ("fingerprint=monitor-tests/Y", 6, 0),
        ("code=X&status=503&service=warehouse", 2, 1),
        ("code=X&status=404", 0, 0),
    ] {
        let stats = server
            .read(&format!("errors/stats?{HALF_HOUR}&{filter}"))
            .await;
        let found = (&stats["total"], &stats["previous"]["total"]);
        assert_eq!(found, (&json!(total), &json!(previous)), "{filter}");
    }
}

#[tokio::test]
async fn ranges_are_half_open_and_whole_minutes() {
    let server = a_morning().await;
    for (from, to, total) in [
        ("09:00:00", "09:15:00", 3),
        ("09:15:00", "09:30:00", 5),
        ("09:15:00", "09:31:00", 8),
        ("08:59:00", "09:00:00", 1),
        ("09:30:00", "09:31:00", 3),
        // Widened to the minutes that they touch.
        ("09:29:59", "09:30:01", 3),
        ("09:14:59", "09:15:00", 1),
        ("08:29:59", "08:30:00", 7),
        ("08:30:00", "08:59:00", 0),
    ] {
        let path = format!("errors/stats?from=2026-01-01T{from}Z&to=2026-01-01T{to}Z");
        assert_eq!(server.read(&path).await["total"], total, "{from} {to}");
    }
    // The same moments, by another clock.
    let offset = "errors/stats?from=2026-01-01T10:00:00%2B01:00&to=2026-01-01T09:30:00Z";
    assert_eq!(server.read(offset).await["total"], 8);
}

#[tokio::test]
async fn without_a_range_it_is_the_last_day() {
    let server = a_morning().await;
    server.clock.set(T0 + 30 * SECOND);
    let stats = server.read("errors/stats").await;
    assert_eq!(stats["from"], "2025-12-31T10:00:00.000Z");
    assert_eq!(stats["to"], "2026-01-01T10:01:00.000Z");
    assert_eq!(
        (&stats["total"], &stats["bucket"]),
        (&json!(19), &json!("1h"))
    );
    let from = server.read("errors/stats?from=2026-01-01T09:30:00Z").await;
    assert_eq!((&from["total"], &from["bucket"]), (&json!(3), &json!("1m")));
    let to = server.read("errors/stats?to=2026-01-01T09:00:00Z").await;
    assert_eq!(to["from"], "2025-12-31T09:00:00.000Z");
    assert_eq!(to["total"], 8);
}

#[tokio::test]
async fn every_bucket_adds_up_and_stands_on_the_clock() {
    let server = a_morning().await;
    for (bucket, step) in [
        ("1m", MINUTE),
        ("5m", 5 * MINUTE),
        ("15m", 15 * MINUTE),
        ("1h", HOUR),
        ("6h", 6 * HOUR),
        ("1d", 24 * HOUR),
        ("7d", 7 * 24 * HOUR),
    ] {
        let path = format!(
            "errors/stats?from=2026-01-01T08:07:00Z&to=2026-01-01T09:30:00Z&bucket={bucket}"
        );
        let stats = server.read(&path).await;
        let buckets = stats["buckets"].as_array().unwrap();
        let sum: u64 = buckets
            .iter()
            .map(|bucket| bucket["count"].as_u64().unwrap())
            .sum();
        assert_eq!((sum, &stats["total"]), (16, &json!(16)), "{bucket}");
        let first = T0 - HOUR - 53 * MINUTE;
        let on_the_clock: Vec<_> = (first / step..(T0 - 30 * MINUTE).div_ceil(step))
            .map(|place| moment(place * step))
            .collect();
        let found: Vec<_> = buckets
            .iter()
            .map(|bucket| bucket["start"].as_str().unwrap())
            .collect();
        assert_eq!(found, on_the_clock, "{bucket}");
        for group in stats["groups"].as_array().unwrap() {
            let counts = group["counts"].as_array().unwrap();
            assert_eq!(counts.len(), buckets.len(), "{bucket}");
            let sum: u64 = counts.iter().map(|count| count.as_u64().unwrap()).sum();
            assert_eq!(group["count"], sum, "{bucket}");
        }
    }
}

#[tokio::test]
async fn beyond_fifty_groups_there_is_the_rest() {
    let server = Server::start().await;
    server.clock.set(T0);
    for place in 0..60 {
        for _ in 0..=place {
            server.report(&failure(T0, &format!("C{place:02}")));
        }
    }
    server.clock.set(T0 + MINUTE);
    assert!(server.monitor.flush().await);
    let stats = server.read("errors/stats").await;
    let groups = stats["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 50);
    assert_eq!(
        (&groups[0]["key"], &groups[49]["key"]),
        (&json!("C59"), &json!("C10"))
    );
    // 1 + 2 + … + 10 of 1 + 2 + … + 60.
    assert_eq!(
        (&stats["other"], &stats["total"]),
        (&json!(55), &json!(1830))
    );
}

#[tokio::test]
async fn a_pattern_to_the_letter() {
    let server = Server::start().await;
    let nine = T0 - HOUR;
    server.fail(nine - MINUTE, 5, "P", |_| {}).await;
    for (at, count, route) in [
        (nine, 4, "/a"),
        (nine + MINUTE, 6, "/b"),
        (nine + 2 * MINUTE, 2, ""),
    ] {
        server
            .fail(at, count, "P", |event| {
                event.route = (!route.is_empty()).then(|| route.to_owned());
                event.request_id = Some(format!("at {at}"));
            })
            .await;
    }
    let patterns = server
        .read("errors/patterns?from=2026-01-01T09:00:00Z&to=2026-01-01T10:00:00Z")
        .await;
    let id = |minutes: u64| format!("at {}", nine + minutes * MINUTE);
    let expected = json!({
        "from": "2026-01-01T09:00:00.000Z",
        "to": "2026-01-01T10:00:00.000Z",
        "total": 1,
        "patterns": [{
            "fingerprint": "monitor-tests/P",
            "domain": "monitor-tests",
            "code": "P",
            "category": "performance",
            "status": 503,
            "level": "error",
            "message": "Service temporarily unavailable",
            "display": "upstream: <b>boom</b>",
            "first_seen": "2026-01-01T08:59:00.000Z",
            "last_seen": "2026-01-01T09:02:00.000Z",
            "count": 12,
            "previous": 5,
            "change": 1.4,
            "total": 17,
            "new": false,
            "regressed": false,
            "rising": true,
            "state": "open",
            "changed_at": null,
            "changed_by": null,
            "routes": [
                { "route": "/b", "count": 6 },
                { "route": "/a", "count": 4 },
                { "route": "", "count": 2 },
            ],
            "request_ids": [id(2), id(2), id(1), id(1), id(1)],
        }],
        "next_cursor": null,
    });
    let change = patterns["patterns"][0]["change"].as_f64().unwrap();
    assert!((change - 1.4).abs() < 1e-9, "{change}");
    let mut patterns = patterns;
    patterns["patterns"][0]["change"] = json!(1.4);
    assert_eq!(patterns, expected);
}

#[tokio::test]
async fn what_is_new_and_what_rises() {
    let server = Server::start().await;
    let nine = T0 - HOUR;
    // In the hour before nine, and after.
    let kinds = [
        ("NEW", 0, 50),
        ("RISING", 5, 10),
        ("SAME", 6, 10),
        ("RARE", 1, 9),
        ("GONE", 9, 0),
    ];
    for (code, before, _) in kinds {
        server.fail(nine - 1, before, code, |_| {}).await;
    }
    for (code, _, after) in kinds {
        server.fail(nine, after, code, |_| {}).await;
    }
    let patterns = server
        .read("errors/patterns?from=2026-01-01T09:00:00Z&to=2026-01-01T10:00:00Z")
        .await;
    let found: BTreeMap<_, _> = patterns["patterns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pattern| {
            let is = |key: &str| pattern[key].as_bool().unwrap();
            (pattern["code"].as_str().unwrap(), (is("new"), is("rising")))
        })
        .collect();
    let expected = [
        ("NEW", (true, false)),
        ("RARE", (false, false)),
        ("RISING", (false, true)),
        ("SAME", (false, false)),
    ];
    assert_eq!(found, BTreeMap::from(expected));
}

#[tokio::test]
async fn what_was_resolved_and_comes_back_has_regressed() {
    let server = Server::start().await;
    server.fail(T0, 2, "R", |_| {}).await;
    server.fail(T0, 1, "I", |_| {}).await;
    let path = "errors/patterns/monitor-tests%2FR";
    let of = async |code: &str| {
        let now = server.clock.now() + MINUTE;
        let path = format!("errors/patterns?code={code}&to={}", moment(now));
        server.read(&path).await["patterns"][0].clone()
    };
    let say = async |fingerprint: &str, state: &str| {
        server
            .change(
                &format!("errors/patterns/{fingerprint}"),
                json!({ "state": state }),
            )
            .await
    };
    server.clock.set(T0 + SECOND);
    let changed = say("monitor-tests%2FR", "resolved").await;
    let expected =
        json!({ "fingerprint": "monitor-tests/R", "state": "resolved", "before": "open" });
    assert_eq!(changed, expected);
    say("monitor-tests%2FI", "ignored").await;
    let pattern = of("R").await;
    assert_eq!(pattern["state"], "resolved");
    assert_eq!(pattern["changed_at"], moment(T0 + SECOND));
    assert_eq!(pattern["changed_by"], "token 1");
    assert_eq!(pattern["regressed"], false);
    for (state, codes) in [("resolved", 1), ("ignored", 1), ("open", 0)] {
        let path = format!("errors/patterns?state={state}&to={}", moment(T0 + MINUTE));
        assert_eq!(server.read(&path).await["total"], codes, "{state}");
    }

    server.fail(T0 + 2 * SECOND, 1, "R", |_| {}).await;
    server.fail(T0 + 2 * SECOND, 1, "I", |_| {}).await;
    let pattern = of("R").await;
    assert_eq!(
        (&pattern["state"], &pattern["regressed"]),
        (&json!("open"), &json!(true))
    );
    assert_eq!(pattern["total"], 3);
    // Nobody wants to hear of it, however often it comes.
    let pattern = of("I").await;
    assert_eq!(
        (&pattern["state"], &pattern["regressed"]),
        (&json!("ignored"), &json!(false))
    );

    server.clock.set(T0 + 3 * SECOND);
    let changed = say("monitor-tests%2FR", "resolved").await;
    assert_eq!(changed["before"], "open");
    let pattern = of("R").await;
    assert_eq!(
        (&pattern["state"], &pattern["regressed"]),
        (&json!("resolved"), &json!(false))
    );

    let unknown = server
        .post("errors/patterns/nothing", json!({ "state": "open" }))
        .await;
    let details = unknown.refused(404, "UNKNOWN_NAME");
    assert_eq!(details, json!({ "kind": "pattern", "name": "nothing" }));
    // There is nothing to read there.
    assert_eq!(server.get(path).await.status, 405);
}

/// A failure that was counted and not yet written when its kind was resolved has not come back.
#[tokio::test]
async fn what_was_before_is_no_regression() {
    let server =
        Server::with(|builder| builder.flush_every(std::time::Duration::from_secs(60))).await;
    server.fail(T0, 1, "R", |_| {}).await;
    server.clock.set(T0 + SECOND);
    server.report(&failure(T0 + SECOND, "R"));
    server.clock.set(T0 + 2 * SECOND);
    server
        .change(
            "errors/patterns/monitor-tests%2FR",
            json!({ "state": "resolved" }),
        )
        .await;
    server.clock.set(T0 + MINUTE);
    let pattern = server.read("errors/patterns").await["patterns"][0].clone();
    assert_eq!(
        (&pattern["state"], &pattern["total"]),
        (&json!("resolved"), &json!(2))
    );
}

#[tokio::test]
async fn pages_of_patterns_hold_each_once() {
    let server = Server::start().await;
    for place in 0..11_u64 {
        let count = usize::try_from(place / 3).unwrap() + 1;
        server
            .fail(T0 + place * SECOND, count, &format!("P{place:02}"), |_| {})
            .await;
    }
    server.clock.set(T0 + HOUR);
    for sort in ["count", "last_seen", "first_seen"] {
        let all = server
            .read(&format!("errors/patterns?sort={sort}&limit=100"))
            .await;
        let mut paged = Vec::new();
        let mut cursor = None;
        loop {
            let more = cursor.map_or(String::new(), |cursor: String| format!("&cursor={cursor}"));
            let page = server
                .read(&format!("errors/patterns?sort={sort}&limit=3{more}"))
                .await;
            assert_eq!(page["total"], 11);
            paged.extend(page["patterns"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.replace('/', "%2F")),
                None => break,
            }
            assert_eq!(paged.len() % 3, 0, "only the last page is short");
        }
        assert_eq!(all["next_cursor"], Value::Null);
        assert_eq!(&Value::from(paged), &all["patterns"], "{sort}");
        let keys: Vec<_> = all["patterns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pattern| pattern[sort].to_string())
            .collect();
        let mut sorted = keys.clone();
        sorted.sort();
        sorted.reverse();
        assert_eq!(keys, sorted, "{sort}");
    }
    assert_eq!(
        server.read("errors/patterns").await["patterns"]
            .as_array()
            .unwrap()
            .len(),
        11
    );
}

/// Fingerprints of one's own may be as long as labels may be.
#[tokio::test]
async fn pages_of_patterns_go_on_after_long_fingerprints() {
    let server = Server::start().await;
    for letter in ["a", "b"] {
        server
            .fail(T0, 1, "LONG", |event| {
                event.fingerprint = letter.repeat(256);
            })
            .await;
    }
    server.clock.set(T0 + MINUTE);
    let first = server.read("errors/patterns?limit=1").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = server
        .read(&format!("errors/patterns?limit=1&cursor={cursor}"))
        .await;
    assert_eq!(second["patterns"][0]["fingerprint"], "b".repeat(256));
}

#[tokio::test]
async fn patterns_of_a_code_or_a_service() {
    let server = Server::start().await;
    server
        .fail(T0, 1, "ONE", |event| event.service = Some("db".to_owned()))
        .await;
    server
        .fail(T0, 1, "TWO", |event| {
            event.service = Some("mail".to_owned());
        })
        .await;
    server.fail(T0, 1, "THREE", |_| {}).await;
    server.clock.set(T0 + MINUTE);
    for (filter, codes) in [
        ("code=ONE", vec!["ONE"]),
        ("service=mail", vec!["TWO"]),
        ("service=mail&code=ONE", vec![]),
        ("service=nothing", vec![]),
        ("fingerprint=monitor-tests/TWO", vec!["TWO"]),
        ("fingerprint=monitor-tests/T", vec![]),
        ("from=2026-01-01T10:00:00Z", vec!["ONE", "THREE", "TWO"]),
        ("to=2026-01-01T10:00:00Z", vec![]),
    ] {
        let patterns = server.read(&format!("errors/patterns?{filter}")).await;
        assert_eq!(patterns["total"], codes.len(), "{filter}");
        let found: Vec<_> = patterns["patterns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pattern| pattern["code"].as_str().unwrap())
            .collect();
        assert_eq!(found, codes, "{filter}");
    }
}

#[tokio::test]
async fn a_recent_error_to_the_letter() {
    let server = Server::start().await;
    server
        .fail(T0 + 7, 1, "FULL", |event| {
            event.message = "said to the client".to_owned();
            event.display = "said to the log".to_owned();
            event.chain = vec!["nearest".to_owned(), "farthest".to_owned()];
            event.details = Some(r#"{"id":7,"deep":{"list":[1,null]}}"#.to_owned());
            event.backtrace = Some("0: main".to_owned());
            event.request_id = Some("request-1".to_owned());
            event.trace_id = Some("trace-1".to_owned());
            event.method = Some(Method::PATCH);
            event.route = Some("/orders/{id}".to_owned());
            event.user_id = Some("alice".to_owned());
            event.service = Some("warehouse".to_owned());
            event.operation = Some("fetch".to_owned());
            event.attempts = Some(3);
            event.level = Level::Warn;
        })
        .await;
    server.fail(T0 + 8, 1, "BARE", |_| {}).await;
    let recent = server.read("logs/recent-errors").await;
    let (id, older) = (&recent["errors"][1]["id"], &recent["errors"][0]["id"]);
    let number = |id: &Value| u64::from_str_radix(id.as_str().unwrap(), 16).unwrap();
    assert!(number(id) < number(older));
    let full = json!({
        "id": id,
        "time": "2026-01-01T10:00:00.007Z",
        "instance": server.monitor.instance(),
        "fingerprint": "monitor-tests/FULL",
        "domain": "monitor-tests",
        "code": "FULL",
        "status": 503,
        "category": "performance",
        "level": "warn",
        "origin": "declared",
        "message": "said to the client",
        "display": "said to the log",
        "chain": ["nearest", "farthest"],
        "details": { "id": 7, "deep": { "list": [1, null] } },
        "backtrace": "0: main",
        "request_id": "request-1",
        "trace_id": "trace-1",
        "method": "PATCH",
        "route": "/orders/{id}",
        "user": "alice",
        "service": "warehouse",
        "operation": "fetch",
        "attempts": 3,
    });
    assert_eq!(recent["errors"][1], full);
    for key in [
        "backtrace",
        "request_id",
        "trace_id",
        "method",
        "route",
        "user",
        "service",
        "operation",
        "attempts",
        "details",
    ] {
        assert_eq!(recent["errors"][0][key], Value::Null, "{key}");
    }
    assert_eq!(recent["next_cursor"], Value::Null);
}

/// A code, the filter that finds it, and what makes it differ from the others.
type Variant = (&'static str, &'static str, fn(&mut ErrorEvent));

#[tokio::test]
async fn recent_errors_by_every_filter() {
    let server = Server::start().await;
    let variants: [Variant; 8] = [
        ("A", "code=A", |_| {}),
        ("B", "status=404", |event| event.status = status(404)),
        ("C", "service=db", |event| {
            event.service = Some("db".to_owned());
        }),
        ("D", "category=security", |event| {
            event.category = "security".into();
        }),
        ("E", "route=/r/%7Bid%7D", |event| {
            event.route = Some("/r/{id}".to_owned());
        }),
        ("F", "fingerprint=own", |event| {
            event.fingerprint = "own".to_owned();
        }),
        ("G", "request_id=r-1", |event| {
            event.request_id = Some("r-1".to_owned());
        }),
        ("H", "user=b%C3%B6b+x", |event| {
            event.user_id = Some("böb x".to_owned());
        }),
    ];
    for (place, (code, _, change)) in (0..).zip(variants) {
        server.fail(T0 + place * MINUTE, 1, code, change).await;
    }
    let codes = async |query: &str| -> Vec<String> {
        let recent = server.read(&format!("logs/recent-errors?{query}")).await;
        let errors = recent["errors"].as_array().unwrap();
        errors
            .iter()
            .map(|error| error["code"].as_str().unwrap().to_owned())
            .collect()
    };
    for (code, filter, _) in variants {
        assert_eq!(codes(filter).await, [code], "{filter}");
        if filter.starts_with("code=") {
            continue;
        }
        // Filters narrow each other.
        assert_eq!(
            codes(&format!("{filter}&code={code}")).await,
            [code],
            "{filter}"
        );
        assert!(
            codes(&format!("{filter}&code=NONE")).await.is_empty(),
            "{filter}"
        );
    }
    for (text, found) in [
        ("q=R-1", vec!["G"]),
        ("q=%2Fr%2F%7B", vec!["E"]),
        ("q=B%20X", vec!["H"]),
        ("q=%3Cb%3Eboom%3C%2Fb%3E&status=404", vec!["B"]),
        ("q=nowhere", vec![]),
    ] {
        assert_eq!(codes(text).await, found, "{text}");
    }
    assert_eq!(codes("").await, ["H", "G", "F", "E", "D", "C", "B", "A"]);
    assert_eq!(codes("limit=2").await, ["H", "G"]);
    let half_open = "from=2026-01-01T10:02:00Z&to=2026-01-01T10:04:00Z";
    assert_eq!(codes(half_open).await, ["D", "C"]);
    let to_the_millisecond = "from=2026-01-01T10:02:00.001Z&to=2026-01-01T10:04:00.001Z";
    assert_eq!(codes(to_the_millisecond).await, ["E", "D"]);
    assert_eq!(codes("from=2026-01-01T10:06:00Z").await, ["G"]);
    assert_eq!(codes("to=2026-01-01T10:01:00Z").await, ["A"]);
}

/// 9999-12-30T22:00:00Z, the last moment that can be asked for.
const LAST: u64 = 253_402_207_200_000;

/// What is asked for is centuries after what there is: ids hold the time in 44 bits.
#[tokio::test]
async fn far_away_times_hold_nothing() {
    let server = Server::start().await;
    server.fail(T0, 1, "NOW", |_| {}).await;
    for from in [T0 + (1 << 44), LAST - HOUR] {
        let (from, to) = (moment(from - HOUR), moment(from + HOUR / 2));
        let recent = server
            .read(&format!("logs/recent-errors?from={from}&to={to}"))
            .await;
        assert_eq!(recent["errors"], json!([]), "{from}");
        let stats = server
            .read(&format!("errors/stats?from={from}&to={to}"))
            .await;
        assert_eq!(stats["total"], 0, "{from}");
    }
}

/// The first and the last moments that may be asked for.
#[tokio::test]
async fn the_ends_of_time() {
    let server = Server::start().await;
    for range in [
        "from=1970-01-01T00:00:00Z&to=1970-01-01T00:00:01Z",
        "to=1970-01-01T00:00:01Z",
        "from=9999-12-30T21:59:59Z&to=9999-12-30T21:59:59.999Z",
        "to=9999-12-30T21:59:59.999Z",
    ] {
        for path in ["errors/stats", "errors/patterns", "logs/recent-errors"] {
            server.read(&format!("{path}?{range}")).await;
        }
    }
}

#[tokio::test]
async fn pages_of_recent_errors_hold_each_once_whatever_comes_meanwhile() {
    let server = Server::start().await;
    // Many of one millisecond: their numbers tell them apart.
    server.fail(T0, 17, "OLD", |_| {}).await;
    server.fail(T0 + 1, 6, "OLD", |_| {}).await;
    let mut ids: Vec<String> = Vec::new();
    let mut cursor = String::new();
    let mut pages = 0;
    loop {
        let page = server
            .read(&format!("logs/recent-errors?limit=5{cursor}"))
            .await;
        let errors = page["errors"].as_array().unwrap();
        ids.extend(
            errors
                .iter()
                .map(|error| error["id"].as_str().unwrap().to_owned()),
        );
        server.fail(T0 + 2 + pages, 1, "MEANWHILE", |_| {}).await;
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((ids.len(), pages), (23, 5));
    let mut sorted = ids.clone();
    sorted.sort();
    sorted.dedup();
    sorted.reverse();
    assert_eq!(ids, sorted);
    // A page that is just full and the last has nothing after it.
    assert_eq!(
        server.read("logs/recent-errors?code=OLD&limit=23").await["next_cursor"],
        Value::Null
    );
}

fn breaker_json(name: &str, state: &str, since: &Value) -> Value {
    json!({
        "name": name,
        "state": state,
        "since": since,
        "would_admit": state == "closed" || state == "disabled",
        "retry_after_ms": null,
        "last_error_code": null,
        "window": { "calls": 0, "failures": 0, "slow": 0, "failure_rate": null, "slow_rate": null },
        "totals": {
            "successes": 0, "failures": 0, "ignored": 0, "slow": 0, "rejected": 0, "stale": 0, "opened": 0,
        },
    })
}

#[tokio::test]
async fn breakers_and_their_levers() {
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    let handle = breaker("levers");
    let of = async || server.read("circuit-breakers/levers").await;
    let closed = of().await;
    assert_eq!(closed, breaker_json("levers", "closed", &closed["since"]));
    let list = server.read("circuit-breakers").await;
    assert_eq!(list["instance"], server.monitor.instance());
    let listed: Vec<_> = list["breakers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["name"] == "levers")
        .collect();
    assert_eq!(listed, [&closed]);

    handle.try_acquire().unwrap().failure();
    let open = of().await;
    assert_eq!(
        (&open["state"], &open["would_admit"]),
        (&json!("open"), &json!(false))
    );
    let wait = open["retry_after_ms"].as_u64().unwrap();
    assert!((1..=3_600_000).contains(&wait), "{wait}");
    assert_eq!(
        (&open["totals"]["failures"], &open["totals"]["opened"]),
        (&json!(1), &json!(1))
    );
    assert!(handle.try_acquire().is_err());
    assert_eq!(of().await["totals"]["rejected"], 1);

    // Each lever, the state before it, and the state after.
    for (path, body, before, after) in [
        (
            "reset/levers",
            json!({ "reason": "mended" }),
            "open",
            "closed",
        ),
        ("levers/force-open", json!({}), "closed", "forced_open"),
        (
            "levers/automatic",
            json!({ "reason": null }),
            "forced_open",
            "closed",
        ),
        ("levers/disable", json!({}), "closed", "disabled"),
        (
            "levers/force-open",
            json!({ "seconds": 600, "reason": "deploy" }),
            "disabled",
            "forced_open",
        ),
        ("reset/levers", json!({}), "forced_open", "closed"),
    ] {
        let changed = server
            .change(&format!("circuit-breakers/{path}"), body.clone())
            .await;
        assert_eq!(changed["instance"], server.monitor.instance());
        assert_eq!(
            (&changed["before"], &changed["breaker"]["state"]),
            (&json!(before), &json!(after)),
            "{path}"
        );
        assert_eq!(changed["breaker"]["state"], of().await["state"]);
        assert_eq!(
            handle.try_acquire().is_ok(),
            after != "forced_open",
            "{path}"
        );
        let wait = changed["breaker"]["retry_after_ms"].as_u64();
        match body["seconds"].as_u64() {
            Some(seconds) => assert!((1..=seconds * 1000).contains(&wait.unwrap()), "{wait:?}"),
            None => assert_eq!(wait, None, "{path}"),
        }
    }
    assert_eq!(of().await["window"]["calls"], 0, "a reset begins anew");

    let events = server.read("circuit-breakers/levers/events").await;
    let here = server.monitor.instance();
    let event = |from: &str, to: &str| json!({ "time": "2026-01-01T10:00:00.000Z", "instance": here, "from": from, "to": to });
    let expected = [
        event("forced_open", "closed"),
        event("disabled", "forced_open"),
        event("closed", "disabled"),
        event("forced_open", "closed"),
        event("closed", "forced_open"),
        event("open", "closed"),
        event("closed", "open"),
    ];
    assert_eq!(events["events"], json!(expected));
    assert_eq!(events["next_cursor"], Value::Null);
    let first = server.read("circuit-breakers/levers/events?limit=5").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = server
        .read(&format!(
            "circuit-breakers/levers/events?limit=5&cursor={cursor}"
        ))
        .await;
    assert_eq!(first["events"], json!(expected[..5]));
    assert_eq!(second["events"], json!(expected[5..]));
    assert_eq!(second["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_breaker_that_nobody_has_is_404() {
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    for path in [
        "circuit-breakers/no-such",
        "circuit-breakers/no-such/events",
    ] {
        let details = server.get(path).await.refused(404, "UNKNOWN_SERVICE");
        assert_eq!(details, json!({ "service": "no-such" }));
    }
    for path in [
        "reset/no-such",
        "no-such/force-open",
        "no-such/disable",
        "no-such/automatic",
    ] {
        let path = format!("circuit-breakers/{path}");
        let details = server
            .post(&path, json!({}))
            .await
            .refused(404, "UNKNOWN_SERVICE");
        assert_eq!(details, json!({ "service": "no-such" }));
    }
    // None was made by asking.
    assert_eq!(server.get("circuit-breakers/no-such").await.status, 404);
}

#[tokio::test]
async fn odd_names_of_breakers_are_reached() {
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    for (name, part) in [
        ("with/slash", "with%2Fslash"),
        ("mit Lücke?#", "mit%20L%C3%BCcke%3F%23"),
        ("a+b%20", "a+b%2520"),
        ("<b>\u{1b}[31m", "%3Cb%3E%1B%5B31m"),
    ] {
        breaker(name);
        assert_eq!(
            server.read(&format!("circuit-breakers/{part}")).await["name"],
            name
        );
        let changed = server
            .change(&format!("circuit-breakers/{part}/disable"), json!({}))
            .await;
        assert_eq!(changed["breaker"]["name"], name);
        let events = server
            .read(&format!("circuit-breakers/{part}/events"))
            .await;
        assert_eq!(events["events"][0]["to"], "disabled", "{name}");
    }
}

/// Names that are parts of other paths: those of the contract come first, and nothing is done to another breaker
/// than the one that the path names.
#[tokio::test]
async fn a_breaker_may_have_the_name_of_a_lever() {
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    let reset = breaker("reset");
    breaker("reset-all");
    assert_eq!(server.read("circuit-breakers/reset").await["name"], "reset");
    server
        .change("circuit-breakers/reset/reset-all", json!({}))
        .await;
    server
        .change("circuit-breakers/reset-all/disable", json!({}))
        .await;
    reset.disable();
    let reset_of_force_open = server
        .post("circuit-breakers/reset/force-open", json!({}))
        .await;
    reset_of_force_open.refused(404, "UNKNOWN_SERVICE");
    assert_eq!(
        server.read("circuit-breakers/reset").await["state"],
        "disabled"
    );
}

#[tokio::test]
async fn all_breakers_are_reset_at_once() {
    let _alone = BREAKERS.write().await;
    let server = Server::start().await;
    // What other tests have left behind is no matter of this one.
    server
        .post("circuit-breakers/reset-all", json!({}))
        .await
        .ok();
    let (open, forced, closed) = (
        breaker("all-open"),
        breaker("all-forced"),
        breaker("all-closed"),
    );
    open.try_acquire().unwrap().failure();
    forced.force_open(None);
    closed.try_acquire().unwrap().success();
    let changed = server
        .change("circuit-breakers/reset-all", json!({ "reason": "new day" }))
        .await;
    assert_eq!(changed["instance"], server.monitor.instance());
    assert_eq!(changed["reset"], json!(["all-forced", "all-open"]));
    for one in changed["breakers"].as_array().unwrap() {
        assert_eq!(
            (&one["state"], &one["window"]["calls"]),
            (&json!("closed"), &json!(0)),
            "{one}"
        );
    }
    let names: Vec<_> = changed["breakers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    for name in ["all-open", "all-forced", "all-closed"] {
        assert!(names.contains(&name));
    }
    assert!(open.try_acquire().is_ok() && forced.try_acquire().is_ok());
}

/// A change without a body, as `curl -X POST` sends it.
#[tokio::test]
async fn levers_need_no_body() {
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    breaker("bare");
    for path in [
        "reset/bare",
        "bare/force-open",
        "bare/disable",
        "bare/automatic",
    ] {
        let request = server.request(Method::POST, &format!("circuit-breakers/{path}"));
        let changed = Answer::of(request.bearer_auth(OPERATOR)).await.ok();
        assert_eq!(changed["breaker"]["name"], "bare", "{path}");
    }
}

#[tokio::test]
async fn the_catalog_has_what_is_declared() {
    let server = Server::start().await;
    let catalog = server.read("catalog").await;
    let errors = catalog["errors"].as_array().unwrap();
    let ours: Vec<_> = errors
        .iter()
        .filter(|error| error["domain"] == "monitor-tests")
        .collect();
    let missing = json!({
        "domain": "monitor-tests",
        "code": "MISSING",
        "status": 404,
        "title": "Missing",
        "description": "A thing that is not there.",
        "docs": "https://docs.example.com/missing",
        "retryable": false,
        "category": "app",
    });
    let upstream = json!({
        "domain": "monitor-tests",
        "code": "UPSTREAM",
        "status": 503,
        "title": "Upstream",
        "description": "The service behind is away.",
        "docs": null,
        "retryable": true,
        "category": "performance",
    });
    assert_eq!(ours, [&missing, &upstream]);
    assert!(errors.iter().any(|error| error["code"] == "NOT_SIGNED_IN"));
    let keys: Vec<_> = errors
        .iter()
        .map(|error| (error["domain"].to_string(), error["code"].to_string()))
        .collect();
    assert!(keys.is_sorted(), "by domain and code");
}

#[tokio::test]
async fn the_audit_to_the_letter() {
    let _shared = BREAKERS.read().await;
    let server = Server::start().await;
    breaker("audited");
    let request = server
        .request(Method::POST, "circuit-breakers/audited/force-open")
        .bearer_auth(OPERATOR)
        .header("x-request-id", "request-of-mine");
    let body = json!({ "seconds": 60, "reason": "<i>deploy</i>\u{1b}[0m" });
    Answer::of(request.json(&body)).await.ok();
    let audit = server.read("audit").await;
    let expected = json!({
        "entries": [{
            "time": "2026-01-01T10:00:00.000Z",
            "instance": server.monitor.instance(),
            "actor": "token 1",
            "role": "operator",
            "action": "force_breaker_open",
            "target": "audited",
            "before": { "state": "closed" },
            "after": { "state": "forced_open", "reason": "<i>deploy</i>\u{1b}[0m", "seconds": 60 },
            "result": "done",
            "request_id": "request-of-mine",
        }],
        "next_cursor": null,
    });
    assert_eq!(audit, expected);
}

#[tokio::test]
async fn pages_of_the_audit_and_one_actor_alone() {
    let _shared = BREAKERS.read().await;
    let second = "another-operator-0123456789";
    let server = Server::with(|builder| builder.token(second)).await;
    breaker("paged");
    for place in 0..7_u64 {
        server.clock.set(T0 + place);
        let token = if place % 2 == 0 { OPERATOR } else { second };
        let request = server.request(Method::POST, "circuit-breakers/reset/paged");
        Answer::of(request.bearer_auth(token)).await.ok();
    }
    let times = |page: &Value| -> Vec<String> {
        let entries = page["entries"].as_array().unwrap();
        entries
            .iter()
            .map(|entry| entry["time"].as_str().unwrap().to_owned())
            .collect()
    };
    let newest_first: Vec<_> = (0..7).rev().map(|place| moment(T0 + place)).collect();
    let first = server.read("audit?limit=4").await;
    assert_eq!(times(&first), newest_first[..4]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = server.read(&format!("audit?limit=4&cursor={cursor}")).await;
    assert_eq!(times(&rest), newest_first[4..]);
    assert_eq!(rest["next_cursor"], Value::Null);
    let of_second = server.read("audit?actor=token+3").await;
    assert_eq!(times(&of_second), [5, 3, 1].map(|place| moment(T0 + place)));
    assert_eq!(
        server.read("audit?actor=nobody").await["entries"],
        json!([])
    );
}

#[tokio::test]
async fn the_monitor_itself() {
    let server = Server::with(|builder| builder.samples_per_minute(3)).await;
    server.fail(T0, 5, "M", |_| {}).await;
    let state = server.read("monitor").await;
    let name = state["store"].as_str().unwrap();
    assert!(
        name.starts_with("sqlite ") && name.ends_with("errors.db"),
        "{name}"
    );
    assert!(state["size"]["bytes"].as_u64().unwrap() > 0);
    let expected = json!({
        "instance": server.monitor.instance(),
        "started": "2026-01-01T10:00:00.000Z",
        "version": state["version"],
        "store": name,
        "size": { "events": 3, "bytes": state["size"]["bytes"] },
        "failures": { "stored": 3, "sampled_out": 2, "dropped": 0, "failed_writes": 0 },
    });
    assert_eq!(state, expected);
    assert!(server.monitor.instance().starts_with("here-"));
}

#[tokio::test]
async fn what_comes_is_written_without_anybody_asking() {
    let server =
        Server::with(|builder| builder.flush_every(std::time::Duration::from_millis(10))).await;
    server.report(&failure(T0, "TICK"));
    until("it is written", async || {
        let recent = server.read("logs/recent-errors").await;
        recent["errors"].as_array().unwrap().len() == 1
    })
    .await;
}

#[tokio::test]
async fn the_document_names_every_endpoint_and_role() {
    let server = Server::start().await;
    let document = schema::document(&server).await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.strip_prefix(MOUNT).unwrap_or(path);
        for (method, operation) in operations.as_object().unwrap() {
            let role = operation["x-role"].as_str().unwrap_or("nobody");
            found.push(format!("{method} {path} {role}"));
            for answer in operation["responses"].as_object().unwrap().values() {
                assert!(answer["description"].is_string() && answer["content"].is_object());
            }
        }
    }
    found.sort();
    // As the contract spells them.
    let mut expected = [
        "get /health/check nobody",
        "get /health/ready nobody",
        "get /health/services viewer",
        "get /errors/stats viewer",
        "get /errors/patterns viewer",
        "post /errors/patterns/{fingerprint} operator",
        "get /logs/recent-errors viewer",
        "get /circuit-breakers viewer",
        "get /circuit-breakers/{service} viewer",
        "get /circuit-breakers/{service}/events viewer",
        "post /circuit-breakers/reset/{service} operator",
        "post /circuit-breakers/reset-all operator",
        "post /circuit-breakers/{service}/force-open operator",
        "post /circuit-breakers/{service}/disable operator",
        "post /circuit-breakers/{service}/automatic operator",
        "get /catalog viewer",
        "get /audit viewer",
        "get /me viewer",
        "get /monitor viewer",
        "get /openapi.json viewer",
        "get /alerts viewer",
        "get /alerts/configure viewer",
        "post /alerts/configure operator",
        "post /alerts/test/{rule} operator",
        "post /alerts/silence operator",
        "post /alerts/silence/{id}/expire operator",
        "get /budgets viewer",
        "get /metrics viewer",
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// What may be left out may be left out by the document too.
#[tokio::test]
async fn the_document_asks_for_no_more_than_the_endpoints() {
    let server = Server::start().await;
    let document = schema::document(&server).await;
    let required = |path: &str| {
        let body = &document["paths"][format!("{MOUNT}{path}")]["post"]["requestBody"];
        let schema = &body["content"]["application/json"]["schema"];
        assert_eq!(schema["additionalProperties"], false, "{path}");
        (body["required"].clone(), schema["required"].clone())
    };
    let optional = (json!(false), Value::Null);
    assert_eq!(required("/circuit-breakers/{service}/force-open"), optional);
    assert_eq!(required("/circuit-breakers/reset-all"), optional);
    assert_eq!(
        required("/errors/patterns/{fingerprint}"),
        (json!(true), json!(["state"]))
    );
}

/// What the document bounds is bounded where it is written too: what is read back would not fit it.
#[tokio::test]
async fn a_rule_takes_no_status_that_there_is_not() {
    let server = Server::start().await;
    for status in [0, 99, 600, 65_535] {
        let rule = json!({
            "name": "odd", "when": { "kind": "count", "threshold": 1, "window": "1m" },
            "filter": { "status": status },
        });
        let answer = server
            .post("alerts/configure", json!({ "rules": [rule] }))
            .await;
        assert_eq!(answer.status, 422, "{status}: {answer:?}");
    }
}

#[tokio::test]
async fn the_document_follows_the_mount() {
    for mount in ["/ops", "/a/b.c"] {
        let server = Server::with(|builder| builder.mount(mount)).await;
        let request = server
            .client
            .get(server.url(&format!("{mount}/openapi.json")));
        let document = Answer::of(request.bearer_auth(VIEWER)).await.ok();
        let paths = document["paths"].as_object().unwrap();
        let mut paths = paths.keys().filter(|path| *path != "/metrics");
        assert!(
            paths.all(|path| path.starts_with(&format!("{mount}/"))),
            "{mount}"
        );
    }
}

#[tokio::test]
async fn who_has_signed_in_is_told_who_they_are() {
    let server = Server::start().await;
    for (token, name, role) in [
        (OPERATOR, "token 1", "operator"),
        (VIEWER, "token 2", "viewer"),
    ] {
        let me = server.request(Method::GET, "me").bearer_auth(token);
        assert_eq!(
            Answer::of(me).await.ok(),
            json!({ "name": name, "role": role })
        );
    }
    server.read("me").await;
    let nobody = server.request(Method::GET, "me");
    assert_eq!(Answer::of(nobody).await.status, 401);
}

//! Changes to rules, channels and budgets while the service runs: what is taken, what is not, and what is shown.

use error_monitor::{Budget, Channel};
use serde_json::{Value, json};

use crate::ops::{Served, TOKEN, TestClock, builder};
use crate::receiver::{Receiver, SECRET, lasting, trusting};

fn slack(name: &str, url: &str) -> Value {
    json!({ "channels": [{ "name": name, "to": { "kind": "slack", "url": url } }] })
}

fn webhook(url: &str, secret: &str) -> Value {
    json!({ "channels": [{ "name": "hook", "to": { "kind": "webhook", "url": url, "secret": secret } }] })
}

fn pagerduty(key: &str) -> Value {
    json!({ "channels": [{ "name": "pd", "to": { "kind": "pagerduty", "routing_key": key } }] })
}

fn when(when: &Value) -> Value {
    json!({ "rules": [{ "name": "rule", "when": when }] })
}

/// A rule that is right but for this.
fn rule(name: &str, value: Value) -> Value {
    let mut all = when(&json!({ "kind": "health_failing" }));
    all["rules"][0][name] = value;
    all
}

fn budget(name: &str, value: Value) -> Value {
    let mut all = json!({ "budgets": [{ "name": "budget", "objective": 0.99 }] });
    all["budgets"][0][name] = value;
    all
}

const HTTPS: &str = "https://hooks.example.com/x";

/// What is wrong, and the field that the answer must name.
#[expect(clippy::too_many_lines, reason = "a table")]
fn bad_bodies() -> Vec<(Value, &'static str)> {
    let long = "x".repeat(65);
    let count = |value: &Value| {
        let mut all = json!({ "kind": "count", "threshold": 1 });
        for (name, value) in value.as_object().unwrap() {
            all[name] = value.clone();
        }
        when(&all)
    };
    let key = |bytes: usize| format!("whsec_{}", crate::crypto::base64(&vec![7; bytes]));
    vec![
        (json!({ "rulez": [] }), "rulez"),
        (json!({ "remove": { "alerts": ["rule"] } }), "alerts"),
        (
            json!({ "rules": [{ "when": { "kind": "health_failing" } }] }),
            "name",
        ),
        (json!({ "rules": [{ "name": "rule" }] }), "when"),
        (rule("colour", json!("red")), "colour"),
        (rule("name", json!("")), "rules[0].name"),
        (rule("name", json!("Rule")), "rules[0].name"),
        (rule("name", json!("a b")), "rules[0].name"),
        (rule("name", json!("a/b")), "rules[0].name"),
        (rule("name", json!("ä")), "rules[0].name"),
        (rule("name", json!(long)), "rules[0].name"),
        (when(&json!({ "kind": "astrology" })), "astrology"),
        (when(&json!({ "threshold": 1 })), "kind"),
        (when(&json!({ "kind": "count" })), "threshold"),
        (count(&json!({ "threshold": 0 })), "rules[0].when.threshold"),
        (count(&json!({ "window": "59s" })), "rules[0].when.window"),
        (count(&json!({ "window": "25h" })), "rules[0].when.window"),
        (count(&json!({ "windows": "5m" })), "windows"),
        (
            when(&json!({ "kind": "rate", "threshold": 0 })),
            "rules[0].when.threshold",
        ),
        (
            when(&json!({ "kind": "rate", "threshold": -0.5 })),
            "rules[0].when.threshold",
        ),
        (
            when(&json!({ "kind": "rate", "threshold": 1.01 })),
            "rules[0].when.threshold",
        ),
        (
            when(&json!({ "kind": "rate", "threshold": 0.5, "window": "0s" })),
            "rules[0].when.window",
        ),
        (
            when(&json!({ "kind": "new_code", "window": "1s" })),
            "rules[0].when.window",
        ),
        (
            when(&json!({ "kind": "breaker_open", "longer_than": "1441m" })),
            "rules[0].when.longer_than",
        ),
        (rule("group_by", json!("code")), "rules[0].group_by"),
        (rule("for", json!("1441m")), "rules[0].for"),
        (rule("repeat", json!("59s")), "rules[0].repeat"),
        (rule("repeat", json!("31d")), "rules[0].repeat"),
        (rule("channels", json!(["nobody"])), "rules[0].channels"),
        (rule("filter", json!({ "shade": "x" })), "shade"),
        (
            json!({ "rules": [{ "name": "rule", "when": { "kind": "rate", "threshold": 0.5 }, "filter": { "code": "A" } }] }),
            "rules[0].filter",
        ),
        (
            json!({ "rules": [{ "name": "rule", "when": { "kind": "health_failing" }, "channels": ["kept"] }], "remove": { "channels": ["kept"] } }),
            "rules[0].channels",
        ),
        (slack("", HTTPS), "channels[0].name"),
        (slack("Ops", HTTPS), "channels[0].name"),
        (slack("ops", ""), "channels[0].to.url"),
        (slack("ops", "hooks.example.com"), "channels[0].to.url"),
        (
            slack("ops", "http://hooks.example.com/x"),
            "channels[0].to.url",
        ),
        (
            slack("ops", "ftp://hooks.example.com/x"),
            "channels[0].to.url",
        ),
        (slack("ops", "file:///etc/passwd"), "channels[0].to.url"),
        (slack("ops", "https:///x"), "channels[0].to.url"),
        (
            slack("ops", "https://user@hooks.example.com/x"),
            "channels[0].to.url",
        ),
        (slack("ops", "https://10.0.0.1/x"), "channels[0].to.url"),
        (
            slack("ops", "https://hooks.example.com/…"),
            "channels[0].to.url",
        ),
        (
            slack("ops", &format!("{HTTPS}{}", "x".repeat(2048))),
            "channels[0].to.url",
        ),
        (
            json!({ "channels": [{ "name": "ops", "to": { "kind": "slack" } }] }),
            "url",
        ),
        (
            json!({ "channels": [{ "name": "ops", "to": { "kind": "pigeon", "url": HTTPS } }] }),
            "pigeon",
        ),
        (
            json!({ "channels": [{ "name": "ops", "to": { "kind": "slack", "url": HTTPS, "secret": "x" } }] }),
            "secret",
        ),
        (webhook(HTTPS, ""), "channels[0].to.secret"),
        (webhook(HTTPS, "whsec_"), "channels[0].to.secret"),
        (webhook(HTTPS, "plain"), "channels[0].to.secret"),
        (webhook(HTTPS, "whsec_***"), "channels[0].to.secret"),
        (webhook(HTTPS, &key(23)), "channels[0].to.secret"),
        (webhook(HTTPS, &key(65)), "channels[0].to.secret"),
        (
            webhook(HTTPS, &[key(24), key(24), key(24), key(24)].join(" ")),
            "channels[0].to.secret",
        ),
        (
            webhook(HTTPS, &format!("{}  {}", key(24), key(24))),
            "channels[0].to.secret",
        ),
        (webhook(HTTPS, "whsec_…"), "channels[0].to.secret"),
        (pagerduty("short"), "channels[0].to.routing_key"),
        (
            pagerduty("with-a-dash-0123456789"),
            "channels[0].to.routing_key",
        ),
        (pagerduty("…CDE"), "channels[0].to.routing_key"),
        (pagerduty(&"x".repeat(65)), "channels[0].to.routing_key"),
        (budget("name", json!("Budget")), "budgets[0].name"),
        (budget("objective", json!(0.4)), "budgets[0].objective"),
        (budget("objective", json!(1.0)), "budgets[0].objective"),
        (
            budget("objective", json!(0.999_999)),
            "budgets[0].objective",
        ),
        (budget("route", json!("")), "budgets[0].route"),
        (budget("route", json!("x".repeat(257))), "budgets[0].route"),
        (budget("target", json!(0.9)), "target"),
        (json!({ "remove": { "rules": ["nobody"] } }), "remove.rules"),
        (
            json!({ "remove": { "channels": ["nobody"] } }),
            "remove.channels",
        ),
        (
            json!({ "remove": { "budgets": ["nobody"] } }),
            "remove.budgets",
        ),
    ]
}

/// Values of another type: whoever sent a long list wants to know where.
fn of_another_type() -> Vec<(Value, &'static str)> {
    vec![
        (json!({ "rules": { "name": "rule" } }), "rules"),
        (json!({ "remove": "rule" }), "remove"),
        (json!({ "remove": { "rules": "rule" } }), "remove"),
        (
            when(&json!({ "kind": "count", "threshold": -1 })),
            "threshold",
        ),
        (
            when(&json!({ "kind": "count", "threshold": 1.5 })),
            "threshold",
        ),
        (
            when(&json!({ "kind": "count", "threshold": "5" })),
            "threshold",
        ),
        (
            when(&json!({ "kind": "count", "threshold": 1, "window": "5" })),
            "window",
        ),
        (
            when(&json!({ "kind": "count", "threshold": 1, "window": "1w" })),
            "window",
        ),
        (
            when(&json!({ "kind": "count", "threshold": 1, "window": 300 })),
            "window",
        ),
        (rule("for", json!("soon")), "for"),
        (rule("severity", json!("fatal")), "severity"),
        (rule("enabled", json!("yes")), "enabled"),
        (rule("channels", json!("ops")), "channels"),
        (rule("filter", json!({ "status": 99_999 })), "status"),
        (budget("objective", json!("0.99")), "objective"),
        (budget("min_requests", json!(-1)), "min_requests"),
    ]
}

async fn configured() -> (tempfile::TempDir, Served) {
    let folder = tempfile::tempdir().unwrap();
    let building = builder(&folder, &TestClock::new())
        .channel(Channel::slack("kept", HTTPS))
        .alert(lasting("kept"))
        .budget(Budget::new("kept", 0.9));
    (folder, Served::start(building).await)
}

/// The same body, with a part that is right by itself.
fn with_a_right_part(mut body: Value) -> Value {
    if body.get("budgets").is_none() {
        body["budgets"] = json!([{ "name": "half", "objective": 0.9 }]);
    } else {
        body["rules"] = json!([{ "name": "half", "when": { "kind": "health_failing" } }]);
    }
    body
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_of_it_is_done() {
    let (_folder, served) = configured().await;
    let before = served.get("alerts/configure").await;
    for (body, field) in bad_bodies() {
        for body in [body.clone(), with_a_right_part(body)] {
            let (status, answer) = served.post("alerts/configure", &body).await;
            assert_eq!(status, 422, "{body}: {answer}");
            assert_eq!(answer["error"]["code"], "INVALID_FIELD");
            let message = answer["error"]["message"].as_str().unwrap();
            assert!(
                message.contains(field),
                "{body}: {field} is not in {message}"
            );
            if field.contains('[') || field.contains('.') {
                assert_eq!(answer["error"]["details"]["field"], field, "{answer}");
            }
            assert_eq!(served.get("alerts/configure").await, before, "{body}");
        }
    }
}

#[tokio::test]
async fn a_value_of_another_type_is_named_by_its_field() {
    let (_folder, served) = configured().await;
    let before = served.get("alerts/configure").await;
    let mut unnamed = Vec::new();
    for (body, field) in of_another_type() {
        let (status, answer) = served
            .post("alerts/configure", &with_a_right_part(body.clone()))
            .await;
        assert_eq!(status, 422, "{body}: {answer}");
        if !answer["error"]["message"].as_str().unwrap().contains(field) {
            unnamed.push(format!("{field}: {}", answer["error"]["message"]));
        }
        assert_eq!(served.get("alerts/configure").await, before, "{body}");
    }
    assert!(unnamed.is_empty(), "{unnamed:#?}");
}

/// Nothing can be sent to such a place: better said now than when something fails.
#[tokio::test]
async fn a_port_is_a_number() {
    let (_folder, served) = configured().await;
    for url in [
        "https://hooks.example.com:bad/x",
        "https://hooks.example.com:65536/x",
        "https://hooks.example.com:0/x",
    ] {
        let (status, answer) = served.post("alerts/configure", &slack("ops", url)).await;
        assert_eq!(status, 422, "{url}: {answer}");
        assert_eq!(answer["error"]["details"]["field"], "channels[0].to.url");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let (_folder, served) = configured().await;
    let before = served.get("alerts/configure").await;
    let url = format!(
        "http://{}/admin/api/monitoring/alerts/configure",
        served.address
    );
    let json = "application/json";
    let huge = format!("{{\"rules\":\"{}\"}}", "x".repeat(300 * 1024));
    for (media_type, body, status) in [
        (json, "", 400),
        (json, "{", 400),
        (json, "{} {}", 400),
        (json, "\u{feff}{}", 400),
        (json, "{'rules':[]}", 400),
        (json, "null", 422),
        (json, "5", 422),
        (json, "\"rules\"", 422),
        (json, "[]", 422),
        (json, "[[],[],[],{}]", 422),
        ("text/plain", "{}", 415),
        ("application/x-www-form-urlencoded", "rules=", 415),
        (json, &*huge, 413),
    ] {
        let request = served
            .client
            .post(&url)
            .bearer_auth(TOKEN)
            .header("content-type", media_type);
        let response = request.body(body.to_owned()).send().await.unwrap();
        assert_eq!(response.status(), status, "{media_type} {body:.40}");
        assert_eq!(served.get("alerts/configure").await, before, "{body:.40}");
    }
}

#[tokio::test]
async fn the_same_name_twice_in_one_body_is_refused_or_the_last_holds() {
    let (_folder, served) = configured().await;
    let body = json!({ "budgets": [{ "name": "twice", "objective": 0.9 }, { "name": "twice", "objective": 0.8 }] });
    let (status, answer) = served.post("alerts/configure", &body).await;
    if status == 200 {
        let all = answer["budgets"].as_array().unwrap();
        let twice: Vec<_> = all.iter().filter(|one| one["name"] == "twice").collect();
        assert_eq!(twice.len(), 1);
        assert_eq!(twice[0]["objective"], 0.8);
    } else {
        assert_eq!(status, 422);
    }
}

#[tokio::test]
async fn secrets_are_not_shown_and_what_is_shown_is_not_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::willing().await;
    let building = trusting(builder(&folder, &TestClock::new()), &[&receiver])
        .channel(Channel::slack(
            "s",
            "https://hooks.slack.com/services/T00/B00/very-secret",
        ))
        .channel(Channel::pagerduty("p", "R0123456789ABCDEF0123456789ABCDE"))
        .channel(Channel::webhook(
            "w",
            receiver.url("/path?key=hidden#part"),
            SECRET,
        ))
        .alert(lasting("rule").channels(["w"]));
    let served = Served::start(building).await;
    let added = json!({ "channels": [
        { "name": "s2", "to": { "kind": "slack", "url": "https://hooks.slack.com?token=very-secret" } },
        { "name": "p2", "to": { "kind": "pagerduty", "routing_key": "SHORTKEY" } },
    ] });
    let changed = served.change("alerts/configure", &added).await;
    let shown = served.get("alerts/configure").await;
    assert_eq!(shown, changed);
    assert!(served.monitor.flush().await);
    let audit = served.get("audit").await;
    for answer in [&shown, &audit] {
        let text = answer.to_string();
        for secret in [
            "very-secret",
            "R0123456789ABCDEF",
            "SHORTKEY",
            "hidden",
            SECRET,
            &SECRET[6..],
        ] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    assert!(shown.to_string().contains("https://hooks.slack.com/…"));
    assert!(shown.to_string().contains("whsec_…"));
    // Who reads, changes something else and sends it back must not make the mask the secret.
    for channel in shown["channels"].as_array().unwrap() {
        let (status, answer) = served
            .post("alerts/configure", &json!({ "channels": [channel] }))
            .await;
        assert_eq!(status, 422, "{channel}: {answer}");
        let field = answer["error"]["details"]["field"].as_str().unwrap();
        assert!(field.starts_with("channels[0].to."), "{answer}");
    }
    served.change("alerts/test/rule", &json!({})).await;
    assert_eq!(receiver.hits()[0].path, "/path?key=hidden");
}

#[tokio::test]
async fn what_is_changed_or_removed_stays_so_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let building = || {
        builder(&folder, &TestClock::new())
            .channel(Channel::slack("declared", HTTPS))
            .channel(Channel::slack("changed", HTTPS))
            .alert(lasting("declared"))
            .alert(lasting("changed"))
            .budget(Budget::new("declared", 0.9))
            .budget(Budget::new("changed", 0.9))
    };
    let served = Served::start(building()).await;
    let window =
        |name: &str| json!({ "name": name, "when": { "kind": "new_code", "window": "10m" } });
    served
        .change(
            "alerts/configure",
            &json!({
                "rules": [window("changed"), window("added")],
                "channels": [
                    { "name": "added", "to": { "kind": "slack", "url": "https://added.example.com/x" } },
                    { "name": "changed", "to": { "kind": "slack", "url": "https://changed.example.com/x" } },
                ],
                "budgets": [{ "name": "added", "objective": 0.8 }, { "name": "changed", "objective": 0.7 }],
            }),
        )
        .await;
    let names = |all: &Value, list: &str| -> Vec<String> {
        let all = all[list].as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let check = async |served: &Served, wanted: &[&str]| {
        let all = served.get("alerts/configure").await;
        for list in ["rules", "channels", "budgets"] {
            assert_eq!(names(&all, list), wanted, "{list}");
        }
        let text = all.to_string();
        assert!(
            text.contains("https://changed.example.com/…")
                && text.contains("\"10m\"")
                && text.contains("0.7"),
            "{text}"
        );
    };
    check(&served, &["added", "changed", "declared"]).await;
    let gone = json!({ "rules": ["declared", "added"], "channels": ["declared", "added"], "budgets": ["declared", "added"] });
    served
        .change("alerts/configure", &json!({ "remove": gone }))
        .await;
    check(&served, &["changed"]).await;
    // What is gone cannot go again.
    let (status, _) = served
        .post("alerts/configure", &json!({ "remove": gone }))
        .await;
    assert_eq!(status, 422);
    assert!(served.monitor.shutdown().await);
    drop(served);
    let served = Served::start(building()).await;
    check(&served, &["changed"]).await;
    // What was removed may come back by its name.
    served
        .change(
            "alerts/configure",
            &json!({
                "rules": [window("declared")],
                "channels": [{ "name": "declared", "to": { "kind": "slack", "url": HTTPS } }],
                "budgets": [{ "name": "declared", "objective": 0.6 }],
            }),
        )
        .await;
    check(&served, &["changed", "declared"]).await;
}

/// A rule that names a channel is told to nobody once that is gone: it must not go unnoticed.
#[tokio::test]
async fn a_channel_that_a_rule_names_is_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let building = builder(&folder, &TestClock::new())
        .channel(Channel::slack("named", HTTPS))
        .channel(Channel::slack("other", HTTPS))
        .alert(lasting("rule").channels(["named"]));
    let served = Served::start(building).await;
    let (status, answer) = served
        .post(
            "alerts/configure",
            &json!({ "remove": { "channels": ["named"] } }),
        )
        .await;
    assert_eq!(status, 422, "the rule has nobody left: {answer}");
    assert_eq!(answer["error"]["details"]["field"], "remove.channels");
}

#[tokio::test]
async fn there_is_a_limit_and_replacing_does_not_count_twice() {
    let (_folder, served) = configured().await;
    let many = |count: usize| -> Value {
        (0..count)
            .map(|number| json!({ "name": format!("b{number}"), "objective": 0.9 }))
            .collect()
    };
    let (status, answer) = served
        .post("alerts/configure", &json!({ "budgets": many(51) }))
        .await;
    assert_eq!(
        (status, &answer["error"]["details"]["field"]),
        (422, &json!("budgets"))
    );
    served
        .change("alerts/configure", &json!({ "budgets": many(40) }))
        .await;
    // The same forty again: forty-one, with the declared one, and not eighty-one.
    let (status, answer) = served
        .post("alerts/configure", &json!({ "budgets": many(40) }))
        .await;
    assert_eq!(status, 200, "{answer}");
}

/// What is accepted is what the document of the endpoints says is accepted.
#[tokio::test]
async fn spans_are_described_as_they_are_written() {
    let (_folder, served) = configured().await;
    let document = served.get("openapi.json").await;
    let pattern = document["components"]["schemas"]["Span"]["pattern"]
        .as_str()
        .unwrap();
    let rule = json!({ "rules": [{ "name": "long", "when": { "kind": "health_failing" }, "repeat": "30d" }] });
    let after = served.change("alerts/configure", &rule).await;
    let all = after["rules"].as_array().unwrap();
    let long = all.iter().find(|one| one["name"] == "long").unwrap();
    assert_eq!(long["repeat"], "30d");
    assert!(pattern.contains("|d)"), "30d does not match {pattern}");
}

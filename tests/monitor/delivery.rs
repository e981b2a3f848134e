//! What is sent to whom, and what becomes of it when the receiver is away, slow, or not where it may be.
//!
//! Only the pauses between the attempts of one delivery are the system's; all else is by the test's clock.

use std::collections::BTreeMap;
use std::time::Duration;

use error_monitor::store::{GroupBy, JournalKind, JournalQuery};
use error_monitor::{AlertRule, Channel, Condition, Severity};
use error_runtime::time::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;

use crate::crypto;
use crate::ops::{DAY, HOUR, MINUTE, Served, TestClock, builder, fail, until};
use crate::receiver::{
    Hit, LEASE, OTHER_SECRET, PAUSE, Receiver, Reply, SECRET, lasting, minutes, phases, pulse,
    triples, trusting, waiting,
};

// ---- What is sent, by kind of channel ----

/// What Standard Webhooks asks of a receiver: the signature is over the id, the time and the body as they came.
fn verify(hit: &Hit, secret: &str) {
    let (id, time) = (hit.header("webhook-id"), hit.header("webhook-timestamp"));
    let now = Timestamp::now().unix_millis() / 1000;
    let sent: u64 = time.parse().unwrap();
    assert!(now.abs_diff(sent) < 600, "sent at {sent}, now {now}");
    let key = crypto::from_base64(secret.strip_prefix("whsec_").unwrap());
    let signed = format!("{id}.{time}.{}", hit.body);
    let wanted = format!(
        "v1,{}",
        crypto::base64(&crypto::hmac(&key, signed.as_bytes()))
    );
    let signatures = hit.header("webhook-signature");
    assert!(
        signatures.split(' ').any(|one| one == wanted),
        "{signatures} instead of {wanted}"
    );
}

#[tokio::test]
async fn webhooks_are_signed_and_keep_their_id() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    // The first attempt of the first notice fails, and is tried again.
    let receiver =
        Receiver::start(|_, before| Reply::Status(if before == 0 { 503 } else { 204 })).await;
    let rotating = Receiver::willing().await;
    let both = format!("{SECRET} {OTHER_SECRET}");
    let building = trusting(builder(&folder, &clock), &[&receiver, &rotating])
        .channel(receiver.webhook("signed-one"))
        .channel(Channel::webhook(
            "signed-two",
            rotating.url("/both?x=1"),
            both,
        ))
        .alert(
            lasting("signed")
                .severity(Severity::Warning)
                .group_by(GroupBy::Code),
        );
    let served = Served::start(building).await;
    let code = "QUOTE_\"\\\n<é>";
    fail(&served.monitor, clock.millis(), code, "/x", 3).await;
    receiver.has(2).await;
    rotating.has(1).await;
    let hits = receiver.hits();
    for hit in &hits {
        verify(hit, SECRET);
        assert_eq!(hit.header("content-type"), "application/json");
        assert_eq!(hit.path, "/hook");
        assert!(hit.body.len() < 20_000);
    }
    assert_eq!(hits[0].header("webhook-id"), hits[1].header("webhook-id"));
    assert_eq!(hits[0].body, hits[1].body);
    let body = hits[0].json();
    assert_eq!(body["type"], "alert.firing");
    assert_eq!(body["data"]["rule"], "signed");
    assert_eq!(body["data"]["group"], code);
    assert_eq!(body["data"]["severity"], "warning");
    assert_eq!(body["data"]["value"], 3.0);
    assert_eq!(body["data"]["instance"], served.monitor.instance());
    let at = Timestamp::from_unix_millis(clock.millis()).to_string();
    assert_eq!(body["timestamp"], at);
    assert_eq!(body["data"]["since"], at);

    let hit = &rotating.hits()[0];
    verify(hit, SECRET);
    verify(hit, OTHER_SECRET);
    assert_eq!(hit.header("webhook-signature").split(' ').count(), 2);
    assert_eq!(hit.path, "/both?x=1");

    // Another notice has another id, and the same key.
    clock.advance(2 * DAY);
    receiver.has(3).await;
    let hits = receiver.hits();
    verify(&hits[2], SECRET);
    assert_eq!(hits[2].json()["type"], "alert.resolved");
    assert_eq!(hits[2].json()["data"]["key"], body["data"]["key"]);
    assert_ne!(hits[2].header("webhook-id"), hits[0].header("webhook-id"));
}

#[tokio::test]
async fn pagerduty_is_triggered_and_resolved_by_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::start(|_, _| Reply::Status(202)).await;
    let channel: Channel = serde_json::from_value(json!({
        "name": "pd",
        "to": { "kind": "pagerduty", "routing_key": "R0123456789ABCDEF0123456789ABCDE", "url": receiver.url("/v2/enqueue") },
    }))
    .unwrap();
    let rule = lasting("paged")
        .severity(Severity::Critical)
        .group_by(GroupBy::Route)
        .repeat(Duration::from_secs(3600));
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(channel)
        .alert(rule);
    let served = Served::start(building).await;
    // Longer than a key or a summary may be.
    let route = format!("/{}", "é".repeat(200));
    fail(&served.monitor, clock.millis(), "A", &route, 1).await;
    fail(&served.monitor, clock.millis(), "A", "/short", 1).await;
    receiver.has(2).await;
    clock.advance(HOUR + MINUTE);
    receiver.has(4).await;
    clock.advance(2 * DAY);
    served.look().await;
    let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for hit in receiver.hits() {
        let body = hit.json();
        // No more than PagerDuty knows.
        let names: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            names,
            ["dedup_key", "event_action", "payload", "routing_key"]
        );
        assert_eq!(body["routing_key"], "R0123456789ABCDEF0123456789ABCDE");
        assert!(body["dedup_key"].as_str().unwrap().len() <= 255);
        let payload = &body["payload"];
        let summary = payload["summary"].as_str().unwrap();
        assert!(!summary.is_empty() && summary.len() <= 1024);
        assert_eq!(payload["source"], served.monitor.instance());
        assert_eq!(payload["severity"], "critical");
        assert_eq!(payload["component"], "paged");
        assert!(payload["custom_details"].is_object());
        let time = payload["timestamp"].as_str().unwrap();
        assert!(time.ends_with('Z') && time.contains('T'), "{time}");
        let key = body["dedup_key"].as_str().unwrap().to_owned();
        let action = body["event_action"].as_str().unwrap().to_owned();
        by_key.entry(key).or_default().push(action);
    }
    assert_eq!(by_key.len(), 2, "{by_key:?}");
    for actions in by_key.values() {
        let (last, before) = actions.split_last().unwrap();
        assert_eq!(last, "resolve");
        assert!(
            before.len() >= 2 && before.iter().all(|action| action == "trigger"),
            "{actions:?}"
        );
    }
}

#[tokio::test]
async fn slack_gets_text_and_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::willing().await;
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(Channel::slack("slack", receiver.url("/services/T0/B0/x")))
        .alert(lasting("chatty").group_by(GroupBy::Code));
    let served = Served::start(building).await;
    let code = "<!channel> & <https://evil.example|click>";
    fail(&served.monitor, clock.millis(), code, "/x", 1).await;
    receiver.has(1).await;
    clock.advance(2 * DAY);
    receiver.has(2).await;
    for (hit, word) in receiver.hits().iter().zip(["[firing]", "[resolved]"]) {
        let body = hit.json();
        let text = body["text"].as_str().unwrap();
        assert!(text.starts_with(word), "{text}");
        assert!(text.contains("chatty"));
        // Nobody is called, and no link is shown that a stranger has written.
        assert!(text.contains("&lt;!channel&gt; &amp; &lt;https"), "{text}");
        assert!(!hit.body.contains("<!") && !hit.body.contains("<http"));
        let blocks = body["blocks"].as_array().unwrap();
        assert_eq!(blocks[0]["type"], "section");
        assert_eq!(blocks[0]["text"]["type"], "mrkdwn");
        assert!(blocks[0]["text"]["text"].as_str().unwrap().len() <= 3000);
        assert_eq!(blocks[1]["type"], "context");
        assert_eq!(blocks[1]["elements"][0]["type"], "mrkdwn");
        assert_eq!(hit.header("content-type"), "application/json");
    }
}

// ---- Silences, and rules that go ----

#[tokio::test]
async fn a_silence_delays_and_does_not_lose() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::willing().await;
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(receiver.webhook("silenced"))
        .alert(lasting("quiet").group_by(GroupBy::Code))
        .alert(lasting("loud"));
    let served = Served::start(building).await;
    let silence = json!({ "rule": "quiet", "group": "A", "for": "1h", "reason": "we know" });
    let first = served.change("alerts/silence", &silence).await;
    assert_eq!(first["group"], "A");
    fail(&served.monitor, clock.millis(), "A", "/x", 1).await;
    fail(&served.monitor, clock.millis(), "B", "/x", 1).await;
    served.look().await;
    let all = served.get("alerts").await;
    assert_eq!(all["silences"][0]["reason"], "we know");
    let silenced = |rule: &str, group: &str| {
        let all = all["alerts"].as_array().unwrap().iter();
        let mut all = all.filter(|one| one["rule"] == rule && one["group"] == group);
        all.next().unwrap()["silenced"].as_bool().unwrap()
    };
    assert!(silenced("quiet", "A"));
    assert!(!silenced("quiet", "B"));
    assert!(!silenced("loud", ""));
    let mut told = receiver.told();
    told.sort();
    assert_eq!(
        told,
        triples(&[("firing", "loud", ""), ("firing", "quiet", "B")])
    );

    // Ended early: it lasts, so it is told.
    let id = first["id"].as_str().unwrap();
    let path = format!("alerts/silence/{id}/expire");
    served.change(&path, &json!({})).await;
    served.look().await;
    assert_eq!(
        receiver.told().split_off(2),
        triples(&[("firing", "quiet", "A")])
    );
    let (status, answer) = served.post(&path, &json!({})).await;
    assert_eq!(status, 404, "{answer}");

    // Everything, until its time is over; what was told before is told to be over all the same.
    served
        .change("alerts/silence", &json!({ "for": "90m" }))
        .await;
    fail(&served.monitor, clock.millis(), "C", "/x", 1).await;
    clock.advance(89 * MINUTE);
    served.look().await;
    assert_eq!(receiver.count(), 3);
    clock.advance(MINUTE);
    served.look().await;
    assert_eq!(
        receiver.told().split_off(3),
        triples(&[("firing", "quiet", "C")])
    );
    assert_eq!(served.get("alerts").await["silences"], json!([]));
    served
        .change("alerts/silence", &json!({ "for": "720h" }))
        .await;
    fail(&served.monitor, clock.millis(), "D", "/x", 1).await;
    served.look().await;
    clock.advance(2 * DAY);
    served.look().await;
    let mut told = receiver.told().split_off(4);
    told.sort();
    // Of D nobody was told, so nobody is told that it is over.
    assert_eq!(
        told,
        triples(&[
            ("resolved", "loud", ""),
            ("resolved", "quiet", "A"),
            ("resolved", "quiet", "B"),
            ("resolved", "quiet", "C"),
        ])
    );
}

#[tokio::test]
async fn silences_that_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let served = Served::start(builder(&folder, &clock).alert(lasting("known"))).await;
    let long = "x".repeat(3000);
    for (body, status, field) in [
        (json!({}), 422, "for"),
        (json!({ "for": "0s" }), 422, "for"),
        (json!({ "for": "721h" }), 422, "for"),
        (json!({ "for": "1 h" }), 422, ""),
        (json!({ "for": 3600 }), 422, ""),
        (json!({ "for": "1h", "rule": "unknown" }), 422, "rule"),
        (json!({ "for": "1h", "group": long }), 422, "group"),
        (json!({ "for": "1h", "reason": long }), 422, "reason"),
        (
            json!({ "for": "1h", "until": "2030-01-01T00:00:00Z" }),
            422,
            "until",
        ),
    ] {
        let (found, answer) = served.post("alerts/silence", &body).await;
        assert_eq!(found, status, "{body}: {answer}");
        assert!(
            answer["error"]["message"].as_str().unwrap().contains(field),
            "{body}: {answer}"
        );
    }
    assert_eq!(served.get("alerts").await["silences"], json!([]));
}

#[tokio::test]
async fn rules_that_are_switched_off_or_removed_resolve() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::willing().await;
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(receiver.webhook("going"))
        .alert(lasting("declared"))
        .alert(lasting("disabled"));
    let served = Served::start(building).await;
    let when = json!({ "kind": "count", "threshold": 1, "window": "24h" });
    let added = json!({ "rules": [{ "name": "added", "when": when }] });
    served.change("alerts/configure", &added).await;
    fail(&served.monitor, clock.millis(), "A", "/x", 1).await;
    served.look().await;
    assert_eq!(receiver.count(), 3);
    let change = json!({
        "rules": [{ "name": "disabled", "when": when, "enabled": false }],
        "remove": { "rules": ["declared", "added"] },
    });
    let after = served.change("alerts/configure", &change).await;
    let rules = after["rules"].as_array().unwrap();
    let names: Vec<_> = rules.iter().map(|rule| &rule["name"]).collect();
    assert_eq!(names, ["disabled", "pulse"]);
    served.look().await;
    let mut told = receiver.told().split_off(3);
    told.sort();
    let gone = ["added", "declared", "disabled"];
    assert_eq!(told, triples(&gone.map(|rule| ("resolved", rule, ""))));
    assert_eq!(phases(&served).await, []);
    // Once; and again after they are back.
    served.look().await;
    assert_eq!(receiver.count(), 6);
    served.change("alerts/configure", &added).await;
    served.look().await;
    assert_eq!(receiver.events("added"), ["firing", "resolved", "firing"]);
}

/// Whoever was told that it began is told that it is over, in the words of the rule, and nobody else is.
#[tokio::test]
async fn only_those_who_were_told_are_told_that_a_rule_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (named, other) = (Receiver::willing().await, Receiver::willing().await);
    let rule = |name: &str| {
        lasting(name)
            .channels(["named"])
            .severity(Severity::Critical)
    };
    let building = trusting(builder(&folder, &clock), &[&named, &other])
        .channel(named.webhook("named"))
        .channel(other.webhook("other"))
        .alert(rule("removed"))
        .alert(rule("disabled"));
    let served = Served::start(building).await;
    fail(&served.monitor, clock.millis(), "A", "/x", 1).await;
    served.look().await;
    assert_eq!((named.count(), other.count()), (2, 0));
    let mut disabled = serde_json::to_value(rule("disabled")).unwrap();
    disabled["enabled"] = json!(false);
    let change = json!({ "rules": [disabled], "remove": { "rules": ["removed"] } });
    served.change("alerts/configure", &change).await;
    served.look().await;
    assert_eq!(named.events("removed"), ["firing", "resolved"]);
    assert_eq!(named.events("disabled"), ["firing", "resolved"]);
    for hit in named.hits() {
        assert_eq!(hit.json()["data"]["severity"], "critical", "{}", hit.body);
    }
    assert_eq!(other.told(), [], "it was never told that it began");
}

// ---- Receivers that are away ----

/// Each notice was taken exactly once.
fn once(receiver: &Receiver) {
    let taken = receiver.hits().into_iter().filter(|hit| hit.taken);
    let mut ids: Vec<_> = taken
        .map(|hit| hit.header("webhook-id").to_owned())
        .collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "something was told twice");
}

#[tokio::test]
async fn what_a_receiver_refuses_for_a_time_comes_later_in_order_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::start(|_, _| Reply::Status(500)).await;
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(receiver.webhook("flaky"))
        .alert(AlertRule::new("first", Condition::count(1, minutes(1))))
        .alert(lasting("later").filter(|filter| filter.code = Some("A".to_owned())))
        .alert(lasting("second").filter(|filter| filter.code = Some("B".to_owned())));
    let served = Served::start(building).await;
    fail(&served.monitor, clock.millis(), "A", "/x", 1).await;
    receiver.has(3).await;
    served.look().await;
    assert_eq!(receiver.count(), 3, "a pause is by the clock");
    assert_eq!(waiting(&served).await, 2);
    // While it waits, it ends, and something else begins.
    clock.advance(3 * MINUTE);
    served.look().await;
    fail(&served.monitor, clock.millis() - 5 * MINUTE, "B", "/x", 1).await;
    clock.advance(PAUSE);
    served.look().await;
    assert_eq!(waiting(&served).await, 4);
    // What comes later does not overtake it, and no more is tried than opens the channel's circuit.
    receiver.has(6).await;
    let hits = receiver.hits();
    assert_eq!(hits.len(), 6);
    for hit in &hits {
        assert_eq!(hit.header("webhook-id"), hits[0].header("webhook-id"));
    }
    receiver.answer(|_, _| Reply::Status(200));
    served
        .change(
            "circuit-breakers/reset/error-monitor.alerts.flaky",
            &json!({}),
        )
        .await;
    for _ in 0..20 {
        clock.advance(PAUSE);
        served.look().await;
    }
    let told = [
        ("firing", "first"),
        ("firing", "later"),
        ("resolved", "first"),
        ("firing", "second"),
    ];
    assert_eq!(
        receiver.told(),
        triples(&told.map(|(event, rule)| (event, rule, "")))
    );
    assert_eq!(waiting(&served).await, 0);
    once(&receiver);
    assert_eq!(
        receiver.hits()[6].header("webhook-id"),
        hits[0].header("webhook-id")
    );
}

#[tokio::test]
async fn what_waits_survives_the_end_of_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    // A port at which nobody listens yet.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let building = |instance: &str| {
        builder(&folder, &clock)
            .instance(instance)
            .trust_host(address.to_string())
            .alert(pulse())
            .channel(Channel::webhook(
                "restarted",
                format!("http://{address}/hook"),
                SECRET,
            ))
            .alert(lasting("kept").group_by(GroupBy::Code))
    };
    let before = Served::start(building("before")).await;
    fail(&before.monitor, clock.millis(), "A", "/x", 1).await;
    until("a first try failed", || async {
        let query = JournalQuery {
            kind: JournalKind::Delivery,
            subject: Some("restarted".to_owned()),
            before: None,
            limit: 10,
        };
        let page = before.monitor.store().journal(&query).await.unwrap();
        page.entries
            .iter()
            .any(|(entry, _)| entry.body["result"] == "waits")
    })
    .await;
    clock.advance(1000);
    fail(&before.monitor, clock.millis(), "B", "/x", 1).await;
    before.look().await;
    assert_eq!(waiting(&before).await, 2);
    assert!(before.monitor.shutdown().await);
    let first = before.monitor.instance().to_owned();
    drop(before);

    let listener = TcpListener::bind(address).await.unwrap();
    let receiver = Receiver::on(listener, |_, _| Reply::Status(200));
    clock.advance(LEASE.max(PAUSE));
    let after = Served::start(building("after")).await;
    receiver.has(2).await;
    after.look().await;
    assert_eq!(
        receiver.told(),
        triples(&[("firing", "kept", "A"), ("firing", "kept", "B")])
    );
    once(&receiver);
    assert_eq!(receiver.hits()[0].json()["data"]["instance"], first);
    assert_eq!(waiting(&after).await, 0);
}

#[tokio::test]
async fn some_answers_are_final_and_no_redirect_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let target = Receiver::willing().await;
    let answers = [400, 401, 404, 410, 300, 301, 302, 303, 307, 308];
    let mut receivers = Vec::new();
    let mut building = builder(&folder, &clock).trust_host(target.host());
    for status in answers {
        let location = target.url(&format!("/from-{status}"));
        let receiver = Receiver::start(move |_, _| {
            Reply::With(status, vec![("location", location.clone())], String::new())
        })
        .await;
        building =
            trusting(building, &[&receiver]).channel(receiver.webhook(&format!("final-{status}")));
        receivers.push(receiver);
    }
    let served = Served::start(building.alert(lasting("final"))).await;
    fail(&served.monitor, clock.millis(), "A", "/x", 1).await;
    for receiver in &receivers {
        receiver.has(1).await;
    }
    served.look().await;
    assert_eq!(waiting(&served).await, 0);
    clock.advance(HOUR);
    served.look().await;
    for (receiver, status) in receivers.iter().zip(answers) {
        assert_eq!(receiver.count(), 1, "{status} is final");
    }
    assert_eq!(target.count(), 0, "a redirect was followed");
    // What became of it can be read, by channel.
    assert!(served.monitor.flush().await);
    let query = JournalQuery {
        kind: JournalKind::Delivery,
        subject: Some("final-410".to_owned()),
        before: None,
        limit: 10,
    };
    let page = served.monitor.store().journal(&query).await.unwrap();
    let results: Vec<_> = page
        .entries
        .iter()
        .map(|(entry, _)| &entry.body["result"])
        .collect();
    assert_eq!(results, ["gave_up"]);
    // The other kinds go on: the channel is not closed for the next notice.
    receivers[2].answer(|_, _| Reply::Status(200));
    clock.advance(2 * DAY);
    served.look().await;
    assert_eq!(receivers[2].events("final"), ["resolved"]);
}

#[tokio::test]
async fn a_receiver_says_when_to_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::start(|_, before| match before {
        0 => Reply::With(429, vec![("retry-after", "3600".to_owned())], String::new()),
        _ => Reply::Status(200),
    })
    .await;
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(receiver.webhook("patient"))
        .alert(lasting("asked"));
    let served = Served::start(building).await;
    fail(&served.monitor, clock.millis(), "A", "/x", 1).await;
    receiver.has(1).await;
    served.look().await;
    for _ in 0..4 {
        clock.advance(14 * MINUTE);
        served.look().await;
        assert_eq!(receiver.count(), 1, "it was asked before its time");
    }
    clock.advance(5 * MINUTE);
    receiver.has(2).await;
    assert_eq!(receiver.events("asked"), ["firing"]);
    once(&receiver);
}

/// The other form of the same header.
#[tokio::test]
async fn a_receiver_says_when_to_come_again_by_a_date() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::start(|_, before| {
        // The clock does not move from where the system's is, give or take a minute.
        let date = std::time::SystemTime::now() + Duration::from_secs(3600);
        match before {
            0 => Reply::With(
                503,
                vec![("retry-after", httpdate::fmt_http_date(date))],
                String::new(),
            ),
            _ => Reply::Status(200),
        }
    })
    .await;
    let building = trusting(builder(&folder, &clock), &[&receiver])
        .channel(receiver.webhook("dated"))
        .alert(lasting("asked"));
    let served = Served::start(building).await;
    fail(&served.monitor, clock.millis(), "A", "/x", 1).await;
    receiver.has(1).await;
    served.look().await;
    clock.advance(30 * MINUTE);
    served.look().await;
    assert_eq!(receiver.count(), 1, "it was asked before its time");
    clock.advance(40 * MINUTE);
    receiver.has(2).await;
}

/// The receiver that hangs is let go of after a quarter of a minute; until then nobody else may have to wait.
#[tokio::test]
async fn a_receiver_that_hangs_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (hangs, works) = (
        Receiver::start(|_, _| Reply::Hang).await,
        Receiver::willing().await,
    );
    let building = trusting(builder(&folder, &clock), &[&hangs, &works])
        .channel(hangs.webhook("held-hangs"))
        .channel(works.webhook("held-works"))
        .alert(lasting("held").group_by(GroupBy::Code));
    let served = Served::start(building).await;
    fail(&served.monitor, clock.millis(), "A", "/x", 1).await;
    works.has(1).await;
    hangs.has(1).await;
    fail(&served.monitor, clock.millis(), "B", "/x", 1).await;
    works.has(2).await;
    assert_eq!(hangs.count(), 1, "the other one waited for it");
    // When it answers again it is told of both, in order.
    hangs.answer(|_, _| Reply::Status(200));
    until("the other is told too", || async {
        clock.advance(PAUSE);
        tokio::time::sleep(Duration::from_millis(200)).await;
        hangs.told().len() >= 2
    })
    .await;
    assert_eq!(
        hangs.told(),
        triples(&[("firing", "held", "A"), ("firing", "held", "B")])
    );
    once(&hangs);
}

// ---- Several processes ----

fn two(
    folder: &tempfile::TempDir,
    clock: &TestClock,
    receiver: &Receiver,
    name: &str,
    channel: &str,
) -> error_monitor::MonitorBuilder<error_monitor::WithAdmin> {
    trusting(builder(folder, clock), &[receiver])
        .instance(name)
        .channel(receiver.webhook(channel))
        .alert(lasting("shared").group_by(GroupBy::Code))
}

#[tokio::test]
async fn of_two_processes_one_tells_and_the_other_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::willing().await;
    let one = Served::start(two(&folder, &clock, &receiver, "one", "pair")).await;
    one.look().await;
    let other = Served::start(two(&folder, &clock, &receiver, "other", "pair")).await;
    // Both look often: were there no leader, the other would be the first to see one of so many.
    let codes: Vec<_> = ('A'..='P').map(|code| code.to_string()).collect();
    for (before, code) in codes.iter().enumerate() {
        fail(&other.monitor, clock.millis(), code, "/x", 1).await;
        receiver.has(before + 1).await;
        clock.advance(1_000);
    }
    one.look().await;
    other.look().await;
    let told: Vec<_> = codes
        .iter()
        .map(|code| ("firing", "shared", &**code))
        .collect();
    assert_eq!(receiver.told(), triples(&told));
    for hit in receiver.hits() {
        assert_eq!(hit.json()["data"]["instance"], one.monitor.instance());
    }
    assert!(one.monitor.shutdown().await);
    clock.advance(LEASE);
    fail(&other.monitor, clock.millis(), "Z", "/x", 1).await;
    receiver.has(codes.len() + 1).await;
    other.look().await;
    assert_eq!(
        receiver.told().split_off(codes.len()),
        triples(&[("firing", "shared", "Z")])
    );
    assert_eq!(
        receiver.hits()[codes.len()].json()["data"]["instance"],
        other.monitor.instance()
    );
    once(&receiver);
}

/// One process waits for a receiver for longer than it leads; the next one must not send the same beside it.
#[tokio::test]
async fn a_slow_receiver_is_not_told_by_two_processes() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let receiver = Receiver::start(|_, before| match before {
        0 => Reply::Hang,
        _ => Reply::Status(200),
    })
    .await;
    let one = Served::start(two(&folder, &clock, &receiver, "one", "slow-pair")).await;
    one.look().await;
    let other = Served::start(two(&folder, &clock, &receiver, "other", "slow-pair")).await;
    fail(&one.monitor, clock.millis(), "A", "/x", 1).await;
    receiver.has(1).await;
    clock.advance(LEASE);
    other.look().await;
    assert_eq!(
        receiver.count(),
        1,
        "it was told by the second process while the first was telling it"
    );
}

// ---- Trials ----

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "mostly lists")]
async fn a_trial_says_what_became_of_it_and_nothing_of_what_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let inside = "the-inside-of-somebody-else";
    let good = Receiver::start(move |_, _| {
        Reply::With(
            200,
            vec![("x-inside", inside.to_owned())],
            inside.to_owned(),
        )
    })
    .await;
    let bad = Receiver::start(move |_, _| {
        Reply::With(
            500,
            vec![("x-inside", inside.to_owned())],
            inside.to_owned(),
        )
    })
    .await;
    let strange = Receiver::start(move |_, _| {
        Reply::With(
            404,
            vec![("location", format!("/{inside}"))],
            inside.to_owned(),
        )
    })
    .await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = silent.local_addr().unwrap();
    drop(silent);
    let building = trusting(builder(&folder, &clock), &[&good, &bad, &strange])
        .trust_host(refused.to_string())
        .channel(good.webhook("trial-good"))
        .channel(bad.webhook("trial-bad"))
        .channel(strange.webhook("trial-strange"))
        .channel(Channel::slack(
            "trial-refused",
            format!("http://{refused}/x"),
        ))
        .channel(good.webhook("trial-unused"))
        .alert(lasting("trial").channels([
            "trial-good",
            "trial-bad",
            "trial-strange",
            "trial-refused",
        ]));
    let served = Served::start(building).await;
    let tested = served.change("alerts/test/trial", &json!({})).await;
    assert_eq!(tested["rule"], "trial");
    let results: Vec<_> = tested["results"].as_array().unwrap().iter().collect();
    let names: Vec<_> = results
        .iter()
        .map(|one| one["channel"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["trial-bad", "trial-good", "trial-refused", "trial-strange"]
    );
    for (result, (sent, error)) in results.iter().zip([
        (false, Some("the receiver answered 500")),
        (true, None),
        (false, Some("the receiver cannot be reached")),
        (false, Some("the receiver answered 404")),
    ]) {
        assert_eq!(result["sent"], sent, "{result}");
        assert_eq!(result["error"].as_str(), error, "{result}");
    }
    assert_eq!((good.count(), bad.count(), strange.count()), (1, 1, 1));
    let hit = &good.hits()[0];
    verify(hit, SECRET);
    assert_eq!(hit.json()["type"], "alert.test");
    assert_eq!(phases(&served).await, [], "a trial is no alert");
    // A real one to the same receivers, then everything that can be asked for.
    fail(&served.monitor, clock.millis(), "A", "/x", 1).await;
    good.has(2).await;
    strange.has(2).await;
    served.look().await;
    assert!(served.monitor.flush().await);
    let mut answers = vec![tested];
    for path in [
        "alerts",
        "alerts/configure",
        "audit",
        "monitor",
        "circuit-breakers",
        "circuit-breakers/error-monitor.alerts.trial-bad",
        "circuit-breakers/error-monitor.alerts.trial-bad/events",
        "errors/stats",
        "errors/patterns",
        "logs/recent-errors",
        "health/services",
    ] {
        answers.push(served.get(path).await);
    }
    for answer in answers {
        assert!(!answer.to_string().contains(inside), "{answer}");
    }
    let (status, answer) = served.post("alerts/test/nobody", &json!({})).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (404, &json!("UNKNOWN_NAME"))
    );
}

// ---- Where nothing may be sent ----

/// Everything of this machine and its network, in all spellings that a resolver may know. Behind the port is
/// somebody who counts who comes.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "mostly lists")]
async fn nothing_is_sent_to_the_inside() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    // Of both versions of IP, where there are both.
    let listener = match TcpListener::bind("[::]:0").await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind("0.0.0.0:0").await.unwrap(),
    };
    let port = listener.local_addr().unwrap().port();
    let visitors = Arc::new(AtomicUsize::new(0));
    {
        let visitors = Arc::clone(&visitors);
        tokio::spawn(async move {
            loop {
                let _kept = listener.accept().await;
                visitors.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    let trusted = Receiver::willing().await;
    let building = trusting(builder(&folder, &clock), &[&trusted])
        .channel(trusted.webhook("inside-trusted"))
        .alert(lasting("inside").channels(["inside-tried"]));
    // The rule names a channel that is there only later.
    let served = Served::start(building).await;
    // What names this machine is refused before anything is connected to; the rest of these is nobody here.
    let here = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7F.1",
        "0177.0.0.1",
        "017700000001",
        "0177.1",
        "localhost",
        "LOCALHOST",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[::]",
        "0.0.0.0",
        "0",
        "127.255.255.254",
    ];
    let inside = [
        // Not every resolver knows it.
        "localhost.",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "2852039166",
        "100.64.0.1",
        "255.255.255.255",
        "224.0.0.1",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[::ffff:10.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::a00:1]",
        "[2002:7f00:1::]",
        "[2002:a9fe:a9fe::1]",
        "[ff02::1]",
        "198.18.0.1",
        "192.0.2.1",
        "203.0.113.1",
    ];
    for (host, is_here) in here
        .iter()
        .map(|host| (host, true))
        .chain(inside.iter().map(|host| (host, false)))
    {
        let urls = [
            format!("http://{host}:{port}/x"),
            format!("https://{host}:{port}/x"),
            format!(
                "https://{}@{host}:{port}/x",
                trusted.host().replace(':', "%3A")
            ),
            format!("https://user:word@{host}:{port}/x"),
        ];
        for url in urls {
            let channel = Channel::webhook("inside-tried", &url, SECRET);
            let (status, answer) = served
                .post("alerts/configure", &json!({ "channels": [channel] }))
                .await;
            if status != 200 {
                assert_eq!(status, 422, "{url}: {answer}");
                let field = &answer["error"]["details"]["field"];
                assert_eq!(field, "channels[0].to.url", "{url}: {answer}");
                continue;
            }
            // A name, or a number that only a resolver reads: it is refused when it is connected to.
            assert!(
                url.starts_with("https://") && !url.contains('@'),
                "{url} was taken"
            );
            let tested = served.change("alerts/test/inside", &json!({})).await;
            let result = &tested["results"][0];
            assert_eq!(result["sent"], false, "{url}");
            let error = result["error"].as_str().unwrap();
            if is_here {
                assert_eq!(error, "the address may not be sent to", "{url}");
            } else {
                assert!(
                    [
                        "the address may not be sent to",
                        "the receiver cannot be reached"
                    ]
                    .contains(&error),
                    "{url}: {error}"
                );
            }
        }
    }
    assert_eq!(visitors.load(Ordering::SeqCst), 0, "somebody came");

    // The same guard for what is sent by itself: it is given up, and not tried again.
    let channel = Channel::webhook(
        "inside-tried",
        format!("https://localhost:{port}/x"),
        SECRET,
    );
    served
        .change("alerts/configure", &json!({ "channels": [channel] }))
        .await;
    fail(&served.monitor, clock.millis(), "A", "/x", 1).await;
    until("it is given up", || async {
        let query = JournalQuery {
            kind: JournalKind::Delivery,
            subject: Some("inside-tried".to_owned()),
            before: None,
            limit: 10,
        };
        let page = served.monitor.store().journal(&query).await.unwrap();
        page.entries
            .iter()
            .any(|(entry, _)| entry.body["result"] == "gave_up")
    })
    .await;
    assert_eq!(waiting(&served).await, 0);
    assert_eq!(visitors.load(Ordering::SeqCst), 0, "somebody came");
    // Trust is by host and port: of another port nothing is trusted.
    assert_eq!(trusted.count(), 0);
}

/// A host is trusted as it is written, and no further.
#[tokio::test]
async fn trust_is_of_one_host_and_port() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (trusted, other) = (Receiver::willing().await, Receiver::willing().await);
    let served = Served::start(trusting(builder(&folder, &clock), &[&trusted])).await;
    let port = trusted.address.port();
    for (url, taken) in [
        (format!("http://127.0.0.1:{port}/x"), true),
        (format!("https://127.0.0.1:{port}/x"), true),
        (format!("ftp://127.0.0.1:{port}/x"), false),
        (
            format!("http://127.0.0.1:{}/x", other.address.port()),
            false,
        ),
        ("http://127.0.0.1/x".to_owned(), false),
        (format!("http://127.1:{port}/x"), false),
        (format!("http://user@127.0.0.1:{port}/x"), false),
        (format!("http://127.0.0.1:{port}@example.com/x"), false),
        (format!("http://127.0.0.1:{port}.example.com/x"), false),
    ] {
        let channel = Channel::webhook("trust", &url, SECRET);
        let (status, answer) = served
            .post("alerts/configure", &json!({ "channels": [channel] }))
            .await;
        assert_eq!(status, if taken { 200 } else { 422 }, "{url}: {answer}");
    }
    // The builder knows the same rules.
    let untrusted = builder(&folder, &clock).channel(other.webhook("untrusted"));
    let error = untrusted.build().await.unwrap_err().to_string();
    assert!(
        error.contains("untrusted") && error.contains("https"),
        "{error}"
    );
}

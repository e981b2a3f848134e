//! What is sent to whom, and what becomes of it when the receiver is away, slow, or not where it may be.
//!
//! Only the pauses between the attempts of one delivery are the system's; all else is by the test's clock.

use std::time::Duration;

use error_monitor::store::{GroupBy, JournalKind, JournalQuery};
use error_monitor::{AlertRule, Channel, Condition, Severity};
use error_runtime::time::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::crypto;
use crate::ops::{DAY, HOUR, MINUTE, Served, TestClock, builder, fail, until};
use crate::receiver::{
    Hit, LEASE, OTHER_SECRET, PAUSE, Receiver, Reply, SECRET, a_day, lasting, phases, triples, trusting, waiting,
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
    let receiver = Receiver::start(|_, before| Reply::Status(if before == 0 { 503 } else { 204 })).await;
    let rotating = Receiver::willing().await;
    let both = format!("{SECRET} {OTHER_SECRET}");
    let building = trusting(builder(&folder, &clock), &[&receiver, &rotating])
        .channel(receiver.webhook("signed-one"))
        .channel(Channel::webhook("signed-two", rotating.url("/both?x=1"), both))
        .alert(lasting("signed").severity(Severity::Warning).group_by(GroupBy::Code));
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
    receiver.has(6).await;
    let mut by_key: std::collections::BTreeMap<String, Vec<String>> = Default::default();
    for hit in receiver.hits() {
        let body = hit.json();
        // No more than PagerDuty knows.
        let names: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["dedup_key", "event_action", "payload", "routing_key"]);
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
        assert_eq!(actions, &["trigger", "trigger", "resolve"]);
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


//! What is said of an alert, in the words of each channel.

use error_runtime::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::rule::Severity;
use super::state::Event;
use crate::text::{clean, head};
use crate::time::at;

/// What is said of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Notice {
    /// The same however often it is sent: by it a receiver knows what it has.
    pub(crate) id: String,
    pub(crate) event: Event,
    pub(crate) rule: String,
    pub(crate) group: String,
    pub(crate) severity: Severity,
    pub(crate) summary: String,
    pub(crate) value: f64,
    /// Since when it is so, in milliseconds since 1970.
    pub(crate) since: u64,
    /// When this was said.
    pub(crate) at: u64,
    /// The process that said it.
    pub(crate) instance: String,
}

impl Notice {
    /// The alert that it is about, the same from the first notice to the last.
    pub(crate) fn key(&self) -> String {
        let whole = format!("error-monitor/{}/{}", self.rule, self.group);
        // PagerDuty takes 255.
        head(&whole, 255).to_owned()
    }

    fn title(&self) -> String {
        let word = match self.event {
            Event::Firing => "firing",
            Event::Repeated => "still firing",
            Event::Resolved => "resolved",
            Event::Test => "test",
        };
        let group = if self.group.is_empty() {
            String::new()
        } else {
            format!(" ({})", self.group)
        };
        format!("[{word}] {}{group}: {}", self.rule, self.summary)
    }

    fn since(&self) -> Timestamp {
        at(self.since)
    }

    pub(super) fn webhook(&self) -> Value {
        let event = match self.event {
            Event::Firing => "alert.firing",
            Event::Repeated => "alert.repeated",
            Event::Resolved => "alert.resolved",
            Event::Test => "alert.test",
        };
        json!({
            "type": event,
            "timestamp": at(self.at),
            "data": {
                "key": self.key(),
                "rule": self.rule,
                "group": self.group,
                "severity": self.severity,
                "summary": clean(&self.summary, 4096),
                "value": self.value,
                "since": self.since(),
                "instance": self.instance,
            },
        })
    }

    pub(super) fn slack(&self) -> Value {
        // Cut where it fits when every character of it is escaped.
        let title = escaped(&clean(&self.title(), 2900 / 5));
        let facts = format!(
            "severity {} · since {} · {}",
            self.severity.as_str(),
            self.since(),
            escaped(&self.instance)
        );
        json!({
            "text": title,
            "blocks": [
                { "type": "section", "text": { "type": "mrkdwn", "text": title } },
                { "type": "context", "elements": [{ "type": "mrkdwn", "text": facts }] },
            ],
        })
    }

    pub(super) fn pagerduty(&self, routing_key: &str) -> Value {
        let action = if self.event == Event::Resolved {
            "resolve"
        } else {
            "trigger"
        };
        json!({
            "routing_key": routing_key,
            "event_action": action,
            "dedup_key": self.key(),
            "payload": {
                "summary": clean(&self.title(), 1000),
                "source": self.instance,
                "severity": self.severity.as_str(),
                "timestamp": at(self.at),
                "component": self.rule,
                "group": self.group,
                "custom_details": { "value": self.value, "since": self.since() },
            },
        })
    }
}

/// Slack takes these three for markup. What is left of its markup does no more than change the looks, but for
/// mentions and links, which begin with `<`.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice() -> Notice {
        Notice {
            id: "1".to_owned(),
            event: Event::Firing,
            rule: "r".to_owned(),
            group: "<!channel> & co".to_owned(),
            severity: Severity::Error,
            summary: "x".repeat(100_000),
            value: 1.0,
            since: 0,
            at: 0,
            instance: "i".to_owned(),
        }
    }

    #[test]
    fn slack_is_not_made_to_shout() {
        let text = notice().slack().to_string();
        assert!(text.contains("&lt;!channel&gt; &amp; co") && !text.contains("<!channel>"));
    }

    #[test]
    fn notices_fit_their_channels() {
        let notice = notice();
        assert!(notice.webhook().to_string().len() < 20_000);
        let slack = notice.slack();
        assert!(slack["blocks"][0]["text"]["text"].as_str().unwrap().len() <= 3000);
        assert!(
            notice.pagerduty("k")["payload"]["summary"]
                .as_str()
                .unwrap()
                .len()
                <= 1024
        );
        let long = Notice {
            group: "ä".repeat(500),
            ..notice
        };
        assert!(long.key().len() <= 255);
    }
}

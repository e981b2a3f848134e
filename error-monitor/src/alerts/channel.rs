//! Where alerts are sent.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::{AddressRules, check_url};
use crate::budgets::{NAME_RULE, is_name};

/// Where alerts are sent.
///
/// ```
/// use error_monitor::Channel;
/// let channel = Channel::slack("ops", "https://hooks.slack.com/services/T0/B0/secret");
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Channel {
    /// Its name: 1 to 64 of `a-z`, `0-9`, `-`, `_` and `.`.
    #[schemars(regex(pattern = "^[a-z0-9_.-]{1,64}$"))]
    pub name: String,
    /// What it is.
    pub to: Receiver,
}

/// What a channel leads to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Receiver {
    /// An incoming webhook of Slack.
    Slack {
        /// Its URL, which is its secret.
        url: String,
    },
    /// The events of PagerDuty, version 2.
    Pagerduty {
        /// The key of the service's integration.
        routing_key: String,
        /// Where they are taken, if not at PagerDuty's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
    /// A webhook that is signed as Standard Webhooks has it.
    Webhook {
        /// Its URL.
        url: String,
        /// What it is signed with: `whsec_` and base64 of 24 to 64 bytes; two, with a space between them, while
        /// one takes the place of the other.
        secret: String,
    },
}

/// Without what is secret in it.
impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("name", &self.name)
            .field("to", &self.to)
            .finish()
    }
}

/// Without what is secret in it.
impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, url) = match self {
            Self::Slack { url } => ("Slack", Some(url)),
            Self::Pagerduty { url, .. } => ("Pagerduty", url.as_ref()),
            Self::Webhook { url, .. } => ("Webhook", Some(url)),
        };
        f.debug_struct(kind)
            .field("url", &url.map(|url| masked_url(url)))
            .finish_non_exhaustive()
    }
}

const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

impl Channel {
    /// An incoming webhook of Slack.
    pub fn slack(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            to: Receiver::Slack { url: url.into() },
        }
    }

    /// The events of PagerDuty, version 2.
    pub fn pagerduty(name: impl Into<String>, routing_key: impl Into<String>) -> Self {
        let to = Receiver::Pagerduty {
            routing_key: routing_key.into(),
            url: None,
        };
        Self {
            name: name.into(),
            to,
        }
    }

    /// A webhook that is signed as Standard Webhooks has it.
    pub fn webhook(
        name: impl Into<String>,
        url: impl Into<String>,
        secret: impl Into<String>,
    ) -> Self {
        let to = Receiver::Webhook {
            url: url.into(),
            secret: secret.into(),
        };
        Self {
            name: name.into(),
            to,
        }
    }

    pub(crate) fn url(&self) -> &str {
        match &self.to {
            Receiver::Slack { url } | Receiver::Webhook { url, .. } => url,
            Receiver::Pagerduty { url, .. } => url.as_deref().unwrap_or(PAGERDUTY),
        }
    }

    /// The same without what is secret in it, for those who look.
    pub(crate) fn masked(&self) -> Self {
        let to = match &self.to {
            Receiver::Slack { url } => Receiver::Slack {
                url: masked_url(url),
            },
            Receiver::Pagerduty { routing_key, url } => Receiver::Pagerduty {
                routing_key: masked(routing_key),
                url: url.as_deref().map(masked_url),
            },
            Receiver::Webhook { url, .. } => Receiver::Webhook {
                url: masked_url(url),
                secret: "whsec_…".to_owned(),
            },
        };
        Self {
            name: self.name.clone(),
            to,
        }
    }

    /// What is wrong with it: the field, and why.
    pub(crate) fn mistake(&self, rules: &AddressRules) -> Option<(&'static str, String)> {
        if !is_name(&self.name) {
            return Some(("name", NAME_RULE.to_owned()));
        }
        if let Err(reason) = check_url(self.url(), rules) {
            return Some(("to.url", reason));
        }
        match &self.to {
            Receiver::Pagerduty { routing_key, .. }
                if !(8..=64).contains(&routing_key.len())
                    || !routing_key.bytes().all(|c| c.is_ascii_alphanumeric()) =>
            {
                Some((
                    "to.routing_key",
                    "a routing key has 8 to 64 letters and digits".to_owned(),
                ))
            }
            Receiver::Webhook { secret, .. } if keys(secret).is_none() => Some((
                "to.secret",
                "a secret is `whsec_` and base64 of 24 to 64 bytes; two have a space between them"
                    .to_owned(),
            )),
            _ => None,
        }
    }
}

/// The keys of a webhook's secrets.
pub(super) fn keys(secrets: &str) -> Option<Vec<Vec<u8>>> {
    let key = |secret: &str| {
        let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&key.len()).then_some(key)
    };
    let keys: Vec<_> = secrets.split(' ').map(key).collect::<Option<_>>()?;
    (keys.len() <= 3).then_some(keys)
}

fn masked(secret: &str) -> String {
    let last = secret
        .char_indices()
        .rev()
        .nth(3)
        .map_or(0, |(place, _)| place);
    // Of a short one the end is too much of it.
    if secret.len() < 16 {
        "…".to_owned()
    } else {
        format!("…{}", &secret[last..])
    }
}

fn masked_url(url: &str) -> String {
    let host = url.find("://").map_or(0, |place| place + 3);
    match url[host..].find(['/', '?', '#']) {
        Some(end) => format!("{}/…", &url[..host + end]),
        None => url.to_owned(),
    }
}

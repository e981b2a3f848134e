//! One notice over the network: to an address that was checked, signed, and not twice where once will do.

use std::fmt;
use std::io;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use error_runtime::time::Timestamp;
use error_runtime::{ApiError, BreakerHandle, Breakers, CircuitBreaker, Rejected, retry};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, config::Config};

use super::address::{AddressRules, Guarded, check_url};
use super::channel::{Channel, Receiver, keys};
use super::notice::Notice;

/// Why a notice did not get through. No word of what the receiver said is kept: who may configure alerts is not
/// to read with them what only this machine can reach.
#[derive(Debug, ApiError)]
#[api(domain = "error-monitor")]
pub(super) enum SendError {
    #[api(
        status = 502,
        message = "the receiver answered {status}",
        retryable = false,
        breaker = "ok"
    )]
    Refused { status: u16 },
    #[api(
        status = 503,
        message = "the receiver answered {status}",
        display = "the receiver answered {status}"
    )]
    Busy {
        status: u16,
        #[api(retry_after)]
        wait: Option<Duration>,
    },
    #[api(
        status = 410,
        message = "the receiver is gone for good",
        retryable = false
    )]
    Gone,
    #[api(
        status = 502,
        message = "the receiver cannot be reached",
        display = "the receiver cannot be reached",
        retryable
    )]
    Unreachable(#[source] ureq::Error),
    #[api(
        status = 403,
        message = "the address may not be sent to",
        retryable = false,
        breaker = "neutral"
    )]
    Forbidden,
    #[api(
        status = 500,
        message = "the channel's secret cannot be used",
        display = "the channel's secret cannot be used",
        breaker = "neutral"
    )]
    Secret,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

/// Sends notices. It blocks: it belongs on a thread that may wait.
pub(super) struct Sender {
    agent: Agent,
    rules: AddressRules,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl Sender {
    pub(super) fn new(rules: AddressRules) -> Self {
        let config = Config::builder()
            .timeout_global(Some(Duration::from_secs(15)))
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_resolve(Some(Duration::from_secs(5)))
            // A redirect could lead anywhere; it is a refusal.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_idle_connections(0)
            .max_response_header_size(16 * 1024)
            // One from the environment would see everything, and resolve names by itself.
            .proxy(None)
            .user_agent(concat!("error-monitor/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = Guarded::new(rules.clone());
        Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), resolver),
            rules,
        }
    }

    /// Sends a notice, with a few tries while the receiver is merely busy.
    #[retry(
        attempts = 3,
        base = "500ms",
        max = "4s",
        deadline = "25s",
        operation = "error_monitor.alert"
    )]
    pub(super) fn send(&self, channel: &Channel, notice: &Notice) -> Result<(), SendError> {
        breaker(&channel.name).call(|| self.send_once(channel, notice))
    }

    /// One try, whatever the breaker thinks: for somebody who waits to see whether it works.
    pub(super) fn send_once(&self, channel: &Channel, notice: &Notice) -> Result<(), SendError> {
        // The rules may have changed since the channel was made.
        check_url(channel.url(), &self.rules).map_err(|_| SendError::Forbidden)?;
        let body = match &channel.to {
            Receiver::Slack { .. } => notice.slack(),
            Receiver::Pagerduty { routing_key, .. } => notice.pagerduty(routing_key),
            Receiver::Webhook { .. } => notice.webhook(),
        }
        .to_string();
        let mut request = self
            .agent
            .post(channel.url())
            .header("content-type", "application/json");
        if let Receiver::Webhook { secret, .. } = &channel.to {
            let seconds = Timestamp::now().unix_millis() / 1000;
            let keys = keys(secret).ok_or(SendError::Secret)?;
            let signatures = signatures(&keys, &notice.id, seconds, &body)?;
            request = request
                .header("webhook-id", &notice.id)
                .header("webhook-timestamp", seconds.to_string())
                .header("webhook-signature", signatures);
        }
        let response = request.send(&body).map_err(|error| match error {
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                SendError::Forbidden
            }
            error => SendError::Unreachable(error),
        })?;
        let status = response.status().as_u16();
        match status {
            200..=299 => Ok(()),
            410 => Err(SendError::Gone),
            408 | 425 | 429 | 500..=599 => {
                let header = response.headers().get("retry-after");
                let wait = header.and_then(|value| retry_after(value.to_str().ok()?));
                Err(SendError::Busy { status, wait })
            }
            _ => Err(SendError::Refused { status }),
        }
    }
}

/// In seconds, or until a moment; at most a day.
fn retry_after(value: &str) -> Option<Duration> {
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let moment = httpdate::parse_http_date(value).ok()?;
            moment.duration_since(SystemTime::now()).unwrap_or_default()
        }
    };
    Some(wait.min(Duration::from_secs(24 * 3600)))
}

/// The breakers of channels have names that nobody else has.
pub(super) const OURS: &str = "error-monitor.alerts.";

/// Each channel has its own: a receiver that is down is not asked again and again.
fn breaker(channel: &str) -> BreakerHandle {
    let name = format!("{OURS}{channel}");
    let all = Breakers::global();
    if let Some(breaker) = all.get(&name) {
        return breaker;
    }
    let rules = CircuitBreaker::builder(name)
        .failures(6)
        .recovery(Duration::from_secs(30))
        .half_open(1);
    match rules.build() {
        Ok(breaker) => all.register(breaker),
        Err(mistake) => unreachable!("these rules are right: {mistake}"),
    }
}

/// The signatures of Standard Webhooks, one for each key.
fn signatures(keys: &[Vec<u8>], id: &str, seconds: u64, body: &str) -> Result<String, SendError> {
    let signed = format!("{id}.{seconds}.{body}");
    let mut all = Vec::new();
    for key in keys {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| SendError::Secret)?;
        mac.update(signed.as_bytes());
        all.push(format!(
            "v1,{}",
            STANDARD.encode(mac.finalize().into_bytes())
        ));
    }
    Ok(all.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_standard() {
        // The example of the specification.
        let keys = keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = signatures(
            &keys,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
        );
        assert_eq!(
            signature.unwrap(),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}

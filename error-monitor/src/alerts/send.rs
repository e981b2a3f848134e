//! One notice over the network: to an address that was checked, signed, and not twice where once will do.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use error_runtime::time::Timestamp;
use error_runtime::{ApiError, BreakerHandle, Breakers, CircuitBreaker, Rejected, retry};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, config::Config};

use super::channel::{Channel, Receiver, keys};
use super::notice::Notice;

/// Which addresses may be sent to.
#[derive(Clone, Debug, Default)]
pub(crate) struct AddressRules {
    /// Hosts, with a port where it is not the scheme's, that may be anywhere, and without encryption.
    pub(crate) trusted: Vec<String>,
}

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
        let resolver = Guarded {
            rules: rules.clone(),
            inner: DefaultResolver::default(),
        };
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
                let seconds = header.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
                let wait = seconds.map(|seconds| Duration::from_secs(seconds.min(24 * 3600)));
                Err(SendError::Busy { status, wait })
            }
            _ => Err(SendError::Refused { status }),
        }
    }
}

/// Each channel has its own: a receiver that is down is not asked again and again.
fn breaker(channel: &str) -> BreakerHandle {
    let name = format!("alerts.{channel}");
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

/// Whether a URL may be sent to at all, as far as it can be seen from itself.
pub(super) fn check_url(url: &str, rules: &AddressRules) -> Result<(), String> {
    if url.len() > 2048 {
        return Err("a URL has at most 2048 bytes".to_owned());
    }
    let uri: Uri = url.parse().map_err(|_| "expected a URL".to_owned())?;
    let authority = uri.authority().ok_or("expected a URL with a host")?;
    if authority.as_str().contains('@') {
        return Err("a URL has no user in it".to_owned());
    }
    if is_trusted(&uri, rules) {
        return match uri.scheme_str() {
            Some("https" | "http") => Ok(()),
            _ => Err("expected http or https".to_owned()),
        };
    }
    if uri.scheme_str() != Some("https") {
        return Err("expected https; a host that is to be reached without it must be trusted by the program".to_owned());
    }
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    if host
        .parse::<IpAddr>()
        .is_ok_and(|address| !is_public(address))
    {
        return Err(
            "the address is not a public one; it must be trusted by the program".to_owned(),
        );
    }
    Ok(())
}

fn is_trusted(uri: &Uri, rules: &AddressRules) -> bool {
    let Some(authority) = uri.authority() else {
        return false;
    };
    rules
        .trusted
        .iter()
        .any(|host| host.eq_ignore_ascii_case(authority.as_str()))
}

/// Resolves names, and gives only addresses that may be reached: those are connected to, so that a name that
/// says something else the next moment gains nothing.
#[derive(Debug)]
struct Guarded {
    rules: AddressRules,
    inner: DefaultResolver,
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        if is_trusted(uri, &self.rules) {
            return Ok(found);
        }
        let mut allowed = self.empty();
        for address in found.iter().filter(|address| is_public(address.ip())) {
            allowed.push(*address);
        }
        if allowed.is_empty() {
            let error = io::Error::new(io::ErrorKind::PermissionDenied, "not a public address");
            return Err(ureq::Error::Io(error));
        }
        Ok(allowed)
    }
}

/// Whether an address is one of the Internet's, and not of this machine, its network, or a cloud's inside.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        // Of providers, for many behind one address.
        || (a == 100 && (64..128).contains(&b))
        // Of protocols, of relays, of benchmarks, and not yet of anybody.
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Those that have an address of the fourth version in them are what that is.
    let inner = match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..]
        | [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => Some((high, low)),
        _ => None,
    };
    if let Some((high, low)) = inner {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // All that is given out is in 2000::/3; of it, documentation, Teredo and benchmarks are nobody's.
    segments[0] & 0xe000 == 0x2000
        && !(segments[0] == 0x2001 && (segments[1] == 0xdb8 || segments[1] < 0x200))
        && !(segments[0] == 0x3fff && segments[1] < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_inside() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "192.0.0.192",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "ff02::1",
            "2001:db8::1",
            "2001:0:1::",
            "::127.0.0.1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn urls_that_are_refused() {
        let rules = AddressRules {
            trusted: vec!["127.0.0.1:9000".to_owned()],
        };
        for bad in [
            "",
            "hooks.slack.com",
            "http://hooks.slack.com/x",
            "ftp://hooks.slack.com/x",
            "file:///etc/passwd",
            "https://user@hooks.slack.com/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "http://127.0.0.1:9001/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest",
        ] {
            assert!(check_url(bad, &rules).is_err(), "{bad}");
        }
        for good in [
            "https://hooks.slack.com/x",
            "http://127.0.0.1:9000/hook",
            "https://example.com:8443/",
        ] {
            assert_eq!(check_url(good, &rules), Ok(()), "{good}");
        }
    }

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

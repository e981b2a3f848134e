//! Where alerts may go: not into the network that only this machine can reach.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Which addresses may be sent to.
#[derive(Clone, Debug, Default)]
pub(crate) struct AddressRules {
    /// Hosts, with a port where it is not the scheme's, that may be anywhere, and without encryption.
    pub(crate) trusted: Vec<String>,
}

/// Whether a URL may be sent to at all, as far as it can be seen from itself.
pub(super) fn check_url(url: &str, rules: &AddressRules) -> Result<(), String> {
    if url.len() > 2048 {
        return Err("a URL has at most 2048 bytes".to_owned());
    }
    let uri: Uri = url.parse().map_err(|_| "expected a URL".to_owned())?;
    let authority = uri.authority().ok_or("expected a URL with a host")?;
    let port = authority.as_str().rsplit_once(':').map(|(_, port)| port);
    if port.is_some_and(|port| !port.contains(']'))
        && authority.port_u16().is_none_or(|port| port == 0)
    {
        return Err("a port is a number from 1 to 65535".to_owned());
    }
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
pub(super) struct Guarded {
    rules: AddressRules,
    inner: DefaultResolver,
}

impl Guarded {
    pub(super) fn new(rules: AddressRules) -> Self {
        Self {
            rules,
            inner: DefaultResolver::default(),
        }
    }
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
}

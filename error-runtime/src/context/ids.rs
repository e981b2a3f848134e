//! The ids that a request brings, and which of them are believed.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::RequestId;
use crate::time::Timestamp;

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The longest id that is kept.
const MAX_ID: usize = 128;
/// The longest `tracestate` that is sent on.
const MAX_STATE: usize = 512;

/// The id of a request: made here, or one that came in.
#[derive(Clone, Debug)]
pub(crate) enum Id {
    Own(RequestId),
    Given(Box<str>),
}

impl Id {
    pub(crate) fn new() -> Self {
        Self::Own(RequestId::at(Timestamp::now()))
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Own(id) => id.as_str(),
            Self::Given(id) => id,
        }
    }
}

impl From<String> for Id {
    fn from(id: String) -> Self {
        Self::Given(id.into_boxed_str())
    }
}

/// Which ids of requests are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestIdPolicy {
    /// One `X-Request-ID` of 1–128 characters of `[A-Za-z0-9._-]`; anything else is replaced by a
    /// fresh UUID v7. The default.
    #[default]
    Validated,
    /// None: every request gets a fresh id. For services that the public reaches directly.
    Fresh,
}

impl RequestIdPolicy {
    /// The id of a request with these values of `X-Request-ID`.
    pub(crate) fn id<'a>(self, mut values: impl Iterator<Item = &'a [u8]>) -> Id {
        if let (Self::Validated, Some(value), None) = (self, values.next(), values.next())
            && is_valid_id(value)
            && let Ok(id) = std::str::from_utf8(value)
        {
            return Id::Given(id.into());
        }
        Id::new()
    }
}

fn is_valid_id(id: &[u8]) -> bool {
    (1..=MAX_ID).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}

/// A valid `traceparent` (W3C Trace Context).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceParent {
    trace_id: [u8; 32],
    flags: [u8; 2],
}

impl TraceParent {
    /// Of a request's headers: one header only, and a valid one.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Self::parse(value.as_bytes()),
            _ => None,
        }
    }

    /// `00-<32 hex>-<16 hex>-<2 hex>`, in lower case. Of a later version the first fields are read.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (head, rest) = text.split_at_checked(55)?;
        let is_hex = |part: &[u8]| {
            part.iter()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
        };
        let is_zero = |part: &[u8]| part.iter().all(|byte| *byte == b'0');
        let (version, trace, parent, flags) =
            (&head[..2], &head[3..35], &head[36..52], &head[53..]);
        let is_separated = [head[2], head[35], head[52]] == *b"---";
        let all_hex = [version, trace, parent, flags].into_iter().all(is_hex);
        let ends = match version {
            b"00" => rest.is_empty(),
            b"ff" => false,
            _ => rest.first().is_none_or(|next| *next == b'-'),
        };
        let is_valid = is_separated && all_hex && ends && !is_zero(trace) && !is_zero(parent);
        is_valid.then(|| Self {
            trace_id: trace.try_into().unwrap_or([b'0'; 32]),
            flags: flags.try_into().unwrap_or([b'0'; 2]),
        })
    }

    pub(crate) fn trace_id(&self) -> &str {
        std::str::from_utf8(&self.trace_id).unwrap_or_default()
    }

    /// What a call to a further service says: the same trace, a span of its own, version 00, and of the
    /// flags those that version knows (sampled, random).
    pub(crate) fn of_a_call(&self) -> String {
        let span = fastrand::u64(1..);
        let flags = std::str::from_utf8(&self.flags).unwrap_or_default();
        let flags = u8::from_str_radix(flags, 16).unwrap_or(0) & 0b11;
        format!("00-{}-{span:016x}-{flags:02x}", self.trace_id())
    }
}

/// `tracestate`, its lines joined, where it belongs to a trace and is not too long.
pub(crate) fn trace_state(headers: &HeaderMap) -> Option<HeaderValue> {
    let joined = joined(headers, &TRACESTATE)?;
    (joined.len() <= MAX_STATE).then_some(joined)
}

/// The values of all lines of a header, as one.
pub(crate) fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    let mut rest = values.peekable();
    if rest.peek().is_none() {
        return Some(first.clone());
    }
    let mut all = first.as_bytes().to_vec();
    for value in rest {
        all.extend_from_slice(b", ");
        all.extend_from_slice(value.as_bytes());
    }
    HeaderValue::from_bytes(&all).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn ids_are_kept_or_replaced_never_changed() {
        let id = |values: &[&[u8]]| RequestIdPolicy::Validated.id(values.iter().copied());
        for good in ["a", "A-z_0.9", &"x".repeat(128)] {
            assert_eq!(id(&[good.as_bytes()]).as_str(), good);
        }
        let long = "x".repeat(129);
        let bad: [&[&[u8]]; 8] = [
            &[],
            &[b""],
            &[long.as_bytes()],
            &[b"a b"],
            &[b"a\r\nSet-Cookie: x"],
            &["äöü".as_bytes()],
            &[b"\xff"],
            &[b"a", b"a"],
        ];
        for values in bad {
            let id = id(values);
            assert!(matches!(id, Id::Own(_)), "{values:?} gave {id:?}");
        }
        let fresh = RequestIdPolicy::Fresh.id([b"a".as_slice()].into_iter());
        assert!(matches!(fresh, Id::Own(_)));
    }

    #[test]
    fn a_traceparent_is_valid_or_ignored() {
        let parse = |text: &str| TraceParent::parse(text.as_bytes());
        for good in [
            format!("00-{TRACE}-00f067aa0ba902b7-01"),
            format!("cc-{TRACE}-00f067aa0ba902b7-01"),
            format!("cc-{TRACE}-00f067aa0ba902b7-01-what-comes-later"),
        ] {
            assert_eq!(parse(&good).unwrap().trace_id(), TRACE, "{good}");
        }
        let upper = TRACE.to_uppercase();
        let zero = "0".repeat(32);
        for bad in [
            String::new(),
            "00".to_owned(),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{upper}-00f067aa0ba902b7-01"),
            format!("00-{zero}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-"),
            format!("cc-{TRACE}-00f067aa0ba902b7-01."),
            format!("00-{TRACE}-00f067aa0ba902b7-0g"),
            format!("00_{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", "é".repeat(16)),
        ] {
            assert_eq!(parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_call_gets_a_span_of_its_own_in_the_same_trace() {
        let parent = TraceParent::parse(format!("cc-{TRACE}-00f067aa0ba902b7-ff").as_bytes());
        let parent = parent.unwrap();
        let (one, two) = (parent.of_a_call(), parent.of_a_call());
        assert_ne!(one, two);
        for call in [one, two] {
            assert!(
                call.starts_with(&format!("00-{TRACE}-")) && call.ends_with("-03"),
                "{call}"
            );
            assert_eq!(
                TraceParent::parse(call.as_bytes()).unwrap().trace_id(),
                TRACE
            );
        }
    }
}

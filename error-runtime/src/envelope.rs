//! The envelope as a client reads it.

use std::fmt;

use json::{Map, Value};
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The body of an answer, read back.
///
/// Reading is tolerant: unknown members are ignored, and an optional member of a wrong type counts
/// as absent. `code`, `message` and `status` are required.
///
/// ```
/// # use json as serde_json;
/// let body = r#"{"error":{"code":"NOT_FOUND","message":"job 7 not found","status":404,"details":{"id":7},"new":1}}"#;
/// let envelope: error_runtime::Envelope = serde_json::from_str(body)?;
/// assert_eq!((envelope.code.as_str(), envelope.status), ("NOT_FOUND", 404));
/// assert_eq!(envelope.details["id"], 7);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Envelope {
    /// The machine code.
    pub code: String,
    /// The message for people.
    pub message: String,
    /// The status that the server gave.
    pub status: u16,
    /// The details; empty if there were none.
    pub details: Map<String, Value>,
    /// The id of the request.
    pub request_id: Option<String>,
    /// The id of the distributed trace.
    pub trace_id: Option<String>,
    /// When the answer was made, RFC 3339.
    pub timestamp: Option<String>,
    /// Whether a second try may help.
    pub recoverable: bool,
}

impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Body<'a>(&'a Envelope);

        impl Serialize for Body<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let envelope = self.0;
                let mut out = serializer.serialize_map(None)?;
                out.serialize_entry("code", &envelope.code)?;
                out.serialize_entry("message", &envelope.message)?;
                out.serialize_entry("status", &envelope.status)?;
                if !envelope.details.is_empty() {
                    out.serialize_entry("details", &envelope.details)?;
                }
                for (key, text) in [
                    ("request_id", &envelope.request_id),
                    ("trace_id", &envelope.trace_id),
                    ("timestamp", &envelope.timestamp),
                ] {
                    if let Some(text) = text {
                        out.serialize_entry(key, text)?;
                    }
                }
                out.serialize_entry("recoverable", &envelope.recoverable)?;
                out.end()
            }
        }

        let mut out = serializer.serialize_map(Some(1))?;
        out.serialize_entry("error", &Body(self))?;
        out.end()
    }
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Outer;

        impl<'de> Visitor<'de> for Outer {
            type Value = Envelope;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with the member `error`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
                let mut envelope = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == "error" {
                        envelope = Some(read_body(map.next_value()?)?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                envelope.ok_or_else(|| de::Error::missing_field("error"))
            }
        }

        deserializer.deserialize_map(Outer)
    }
}

/// Reads the inside of `error`: what is required must be there, what is optional may be anything.
fn read_body<E: de::Error>(mut body: Map<String, Value>) -> Result<Envelope, E> {
    let mut text = |key: &str| match body.remove(key) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let code = text("code").ok_or_else(|| E::missing_field("code"))?;
    let message = text("message").ok_or_else(|| E::missing_field("message"))?;
    let (request_id, trace_id, timestamp) =
        (text("request_id"), text("trace_id"), text("timestamp"));
    let status = body
        .get("status")
        .and_then(Value::as_u64)
        .and_then(|status| u16::try_from(status).ok())
        .ok_or_else(|| E::missing_field("status"))?;
    Ok(Envelope {
        code,
        message,
        status,
        details: match body.remove("details") {
            Some(Value::Object(details)) => details,
            _ => Map::new(),
        },
        request_id,
        trace_id,
        timestamp,
        recoverable: matches!(body.get("recoverable"), Some(Value::Bool(true))),
    })
}

//! `{"error":{…}}`: the default body.

use http::HeaderValue;

use super::{ErrorView, Format};
use crate::json_text;

/// The envelope, `application/json`: `{"error":{"code":…,"message":…,"status":…,…}}`.
///
/// `details` is left out when empty, `request_id` and `trace_id` when unknown.
/// [`Envelope`](crate::Envelope) reads it back.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonEnvelope;

impl Format for JsonEnvelope {
    #[inline]
    fn content_type(&self) -> HeaderValue {
        const { HeaderValue::from_static("application/json") }
    }

    fn write(&self, view: &ErrorView<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"error\":{\"code\":\"");
        json_text::escape(out, view.code());
        out.extend_from_slice(b"\",\"message\":\"");
        view.write_message_json(out);
        out.extend_from_slice(b"\",\"status\":");
        out.extend_from_slice(view.status().as_str().as_bytes());
        let before_details = out.len();
        out.extend_from_slice(b",\"details\":");
        if !view.write_details(out) {
            out.truncate(before_details);
        }
        write_tail(view, out);
        out.extend_from_slice(b"}}");
    }
}

/// The members that both JSON formats end with.
pub(super) fn write_tail(view: &ErrorView<'_>, out: &mut Vec<u8>) {
    for (key, id) in [
        (&b",\"request_id\":\""[..], view.request_id()),
        (&b",\"trace_id\":\""[..], view.trace_id()),
    ] {
        if let Some(id) = id {
            out.extend_from_slice(key);
            json_text::escape(out, id);
            out.push(b'"');
        }
    }
    out.extend_from_slice(b",\"timestamp\":\"");
    out.extend_from_slice(&view.timestamp().text());
    out.extend_from_slice(if view.recoverable() {
        b"\",\"recoverable\":true"
    } else {
        b"\",\"recoverable\":false"
    });
}

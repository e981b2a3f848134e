//! `{"error":{…}}`: the default body.

use http::HeaderValue;

use super::{ErrorView, Format};
use crate::json_text;

/// The media type of the envelope.
pub(crate) const JSON: &str = "application/json";

/// The envelope, `application/json`: `{"error":{"code":…,"message":…,"status":…,…}}`.
///
/// `details` is left out when empty, `request_id` and `trace_id` when unknown.
/// [`Envelope`](crate::Envelope) reads it back.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonEnvelope;

impl Format for JsonEnvelope {
    #[inline]
    fn content_type(&self) -> HeaderValue {
        const { HeaderValue::from_static(JSON) }
    }

    fn write(&self, view: &ErrorView<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"error\":{\"code\":\"");
        json_text::escape(out, view.code());
        out.extend_from_slice(b"\",\"message\":\"");
        view.write_message_json(out);
        out.extend_from_slice(b"\",\"status\":");
        write_status(view, out);
        let before_details = out.len();
        out.extend_from_slice(b",\"details\":");
        if !view.write_details(out) {
            out.truncate(before_details);
        }
        write_tail(view, out);
        out.push(b'}');
    }
}

/// Three digits, as a copy of a known length.
#[inline]
pub(super) fn write_status(view: &ErrorView<'_>, out: &mut Vec<u8>) {
    let status = view.status().as_u16();
    let digit = |place: u16| b'0' + (status / place % 10) as u8;
    out.extend_from_slice(&[digit(100), digit(10), digit(1)]);
}

/// The members that both JSON formats end with, and the brace after them.
#[inline]
pub(super) fn write_tail(view: &ErrorView<'_>, out: &mut Vec<u8>) {
    if let Some(id) = view.request_id() {
        out.extend_from_slice(b",\"request_id\":\"");
        json_text::escape(out, id);
        out.push(b'"');
    }
    if let Some(id) = view.trace_id() {
        out.extend_from_slice(b",\"trace_id\":\"");
        json_text::escape(out, id);
        out.push(b'"');
    }
    out.extend_from_slice(b",\"timestamp\":\"");
    out.extend_from_slice(&view.timestamp().text());
    let recoverable: &[u8] = if view.recoverable() {
        b"\",\"recoverable\":true"
    } else {
        b"\",\"recoverable\":false"
    };
    out.extend_from_slice(recoverable);
    if view.has_internals() {
        write_internals(view, out);
    }
    out.push(b'}');
}

#[cold]
fn write_internals(view: &ErrorView<'_>, out: &mut Vec<u8>) {
    let Some(internals) = view.internals() else {
        return;
    };
    out.extend_from_slice(b",\"debug\":{\"display\":");
    json_text::string(out, &internals.display);
    out.extend_from_slice(b",\"chain\":[");
    for (index, cause) in internals.chain.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json_text::string(out, cause);
    }
    out.extend_from_slice(b"]}");
}

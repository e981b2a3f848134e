//! RFC 9457, Problem Details for HTTP APIs.

use http::HeaderValue;

use super::envelope::{write_status, write_tail};
use super::{ErrorView, Format};
use crate::json_text;

/// `application/problem+json` (RFC 9457).
///
/// `type` is the declared `docs` URI or `about:blank`; `instance` is the request's id as
/// `urn:uuid:…`, or as `urn:request:…` where it is no UUID, and left out when unknown. Extension
/// members: `code`, `details`, `errors` (violations), `request_id`, `trace_id`, `timestamp`,
/// `recoverable`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProblemJson;

impl Format for ProblemJson {
    fn content_type(&self) -> HeaderValue {
        const { HeaderValue::from_static("application/problem+json") }
    }

    fn write(&self, view: &ErrorView<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"type\":");
        json_text::string(out, view.spec().docs.unwrap_or("about:blank"));
        out.extend_from_slice(b",\"title\":");
        json_text::string(out, view.title());
        out.extend_from_slice(b",\"status\":");
        write_status(view, out);
        out.extend_from_slice(b",\"detail\":\"");
        view.write_message_json(out);
        out.push(b'"');
        if let Some(id) = view.request_id() {
            out.extend_from_slice(b",\"instance\":\"");
            write_urn(id, out);
            out.push(b'"');
        }
        out.extend_from_slice(b",\"code\":");
        json_text::string(out, view.code());
        let before = out.len();
        out.extend_from_slice(b",\"details\":");
        if !view.write_details_without_violations(out) {
            out.truncate(before);
        }
        let before = out.len();
        out.extend_from_slice(b",\"errors\":");
        if !view.write_violations(out) {
            out.truncate(before);
        }
        write_tail(view, out);
    }
}

/// The id as a URI. Ids from outside may be anything; what a URI does not allow is encoded.
fn write_urn(id: &str, out: &mut Vec<u8>) {
    if is_uuid(id) {
        out.extend_from_slice(b"urn:uuid:");
        return out.extend_from_slice(id.as_bytes());
    }
    out.extend_from_slice(b"urn:request:");
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}

fn is_uuid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

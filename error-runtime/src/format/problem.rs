//! RFC 9457, Problem Details for HTTP APIs.

use http::HeaderValue;

use super::envelope::write_tail;
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
        out.extend_from_slice(view.status().as_str().as_bytes());
        out.extend_from_slice(b",\"detail\":\"");
        view.write_message_json(out);
        out.push(b'"');
        if let Some(id) = view.request_id() {
            out.extend_from_slice(b",\"instance\":\"");
            out.extend_from_slice(if is_uuid(id) {
                b"urn:uuid:"
            } else {
                b"urn:request:"
            });
            json_text::escape(out, id);
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
        out.push(b'}');
    }
}

fn is_uuid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

//! How parts of the service answer otherwise: the old clients of `/v1`, and people who look at `/admin`.

use error_runtime::format::escape_html;
use error_runtime::{AnyError, ErrorView, Format, HeaderValue, StatusCode};
use serde_json::json;

use crate::meetings::domain::Meeting;
use crate::meetings::errors::MeetingError;

/// The shape of answers that clients of `/v1` know: flat, with another name for each member.
pub(crate) struct V1Shape;

impl Format for V1Shape {
    fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static("application/json")
    }

    fn write(&self, view: &ErrorView<'_>, out: &mut Vec<u8>) {
        let body = json!({ "ok": false, "error": view.code(), "reason": view.message() });
        out.extend_from_slice(body.to_string().as_bytes());
    }
}

/// What these clients know as a 400 was made a 422 after them. All else stays as it is declared.
pub(crate) fn v1_error(error: &MeetingError) -> Option<AnyError> {
    let MeetingError::Invalid(violations) = error else {
        return None;
    };
    let places: Vec<&str> = violations.iter().map(|one| one.pointer.as_str()).collect();
    Some(AnyError::new(
        StatusCode::BAD_REQUEST,
        "MEETING_VALIDATION_ERROR",
        format!("please correct {}", places.join(", ")),
    ))
}

/// The page of a meeting that the calendar does not have.
pub(crate) fn lost_page(view: &ErrorView<'_>) -> String {
    page("Not in the calendar", &view.message())
}

pub(crate) fn meeting_page(meeting: &Meeting) -> String {
    let text = format!("{} to {}", meeting.start_time, meeting.end_time);
    page(&meeting.title, &text)
}

fn page(title: &str, text: &str) -> String {
    let (title, text) = (escape_html(title), escape_html(text));
    format!("<!doctype html><title>{title}</title><h1>{title}</h1><p>{text}</p>")
}

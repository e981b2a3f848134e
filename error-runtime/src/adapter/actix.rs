//! Responses for actix-web 4, whose `http` types are of an older major version than ours.

use std::error::Error;

use actix_web::body::BoxBody;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap as ActixHeaders, HeaderName, HeaderValue};

use http::HeaderMap;

use crate::edge::{self, Answer};
use crate::format::JsonEnvelope;
use crate::format::envelope::JSON;
use crate::render::{Rendered, render_here};
use crate::{AnyError, ApiError};

pub use actix_web::http::StatusCode;
pub use actix_web::{HttpResponse, ResponseError};

/// The status of `error` in actix's type.
pub fn status(error: &dyn ApiError) -> StatusCode {
    convert_status(error.status())
}

pub(crate) fn convert_status(status: http::StatusCode) -> StatusCode {
    StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The answer to `error` for the request of this code; outside of any middleware in the default format.
pub fn respond(error: &dyn ApiError) -> HttpResponse {
    respond_to(error, None)
}

fn respond_to(error: &dyn ApiError, typed: Option<&(dyn Error + 'static)>) -> HttpResponse {
    // Without declared headers nothing is allocated for it.
    let mut headers = HeaderMap::new();
    if edge::is_here()
        && let Some(answer) = edge::answer_here(error, typed, &mut headers)
    {
        let Answer {
            status,
            body,
            content_type,
            record,
            ..
        } = answer;
        let mut response = finish(status, convert_value(&content_type), &headers, body);
        response.extensions_mut().insert(record);
        return response;
    }
    let Rendered { status, body, .. } = render_here(error, &JsonEnvelope, &mut headers);
    let json = const { HeaderValue::from_static(JSON) };
    finish(status, Some(json), &headers, body)
}

#[inline]
fn finish(
    status: http::StatusCode,
    content_type: Option<HeaderValue>,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> HttpResponse {
    let mut response = HttpResponse::with_body(convert_status(status), BoxBody::new(body));
    let out = response.headers_mut();
    if let Some(content_type) = content_type {
        out.insert(CONTENT_TYPE, content_type);
    }
    append_all(headers, out);
    response
}

/// Adds headers in actix's types: both crates accept the same names and values; the bytes are copied.
pub(crate) fn append_all(headers: &HeaderMap, out: &mut ActixHeaders) {
    for (name, value) in headers {
        if let (Ok(name), Some(value)) = (
            HeaderName::from_bytes(name.as_str().as_bytes()),
            convert_value(value),
        ) {
            out.append(name, value);
        }
    }
}

pub(crate) fn convert_value(value: &http::HeaderValue) -> Option<HeaderValue> {
    // The usual type needs no copy.
    if value == JSON {
        return Some(const { HeaderValue::from_static(JSON) });
    }
    HeaderValue::from_bytes(value.as_bytes()).ok()
}

impl ResponseError for AnyError {
    fn status_code(&self) -> StatusCode {
        status(&**self)
    }

    fn error_response(&self) -> HttpResponse {
        let error: &(dyn ApiError + Send + Sync) = &**self;
        respond_to(error, Some(error))
    }
}

//! Responses for actix-web 4, whose `http` types are of an older major version than ours.

use std::error::Error;

use actix_web::body::BoxBody;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap as ActixHeaders, HeaderName, HeaderValue};

use http::HeaderMap;

use crate::edge::{Answer, answer};
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
    let Answer {
        status,
        body,
        content_type,
        record,
        ..
    } = answer(error, typed, &mut headers);
    let mut response = HttpResponse::with_body(convert_status(status), BoxBody::new(body));
    let out = response.headers_mut();
    if let Some(content_type) = convert_value(&content_type) {
        out.insert(CONTENT_TYPE, content_type);
    }
    append_all(&headers, out);
    if let Some(record) = record {
        response.extensions_mut().insert(record);
    }
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
    if value == crate::format::envelope::JSON {
        return Some(const { HeaderValue::from_static(crate::format::envelope::JSON) });
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

//! Responses for actix-web 4, whose `http` types are of an older major version than ours.

use actix_web::http::header::{HeaderName, HeaderValue};

use crate::{AnyError, ApiError, http_response};

pub use actix_web::http::StatusCode;
pub use actix_web::{HttpResponse, ResponseError};

/// The status of `error` in actix's type.
pub fn status(error: &dyn ApiError) -> StatusCode {
    convert_status(error.status())
}

fn convert_status(status: http::StatusCode) -> StatusCode {
    StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The answer to `error` in the default format.
pub fn respond(error: &dyn ApiError) -> HttpResponse {
    let (parts, body) = http_response(error).into_parts();
    let mut response = HttpResponse::build(convert_status(parts.status));
    for (name, value) in &parts.headers {
        // Both crates accept the same names and values; the bytes are copied, not the types.
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_str().as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            response.append_header((name, value));
        }
    }
    response.body(body)
}

impl ResponseError for AnyError {
    fn status_code(&self) -> StatusCode {
        status(&**self)
    }

    fn error_response(&self) -> HttpResponse {
        respond(&**self)
    }
}

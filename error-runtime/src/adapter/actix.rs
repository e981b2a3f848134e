//! Responses for actix-web 4, whose `http` types are of an older major version than ours.

use actix_web::body::BoxBody;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use http::HeaderMap;

use crate::format::JsonEnvelope;
use crate::format::envelope::JSON;
use crate::render::{Rendered, render};
use crate::{AnyError, ApiError};

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
    // Without declared headers nothing is allocated for it.
    let mut headers = HeaderMap::new();
    let Rendered { status, body, .. } = render(error, &JsonEnvelope, &mut headers);
    let mut response = HttpResponse::with_body(convert_status(status), BoxBody::new(body));
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, const { HeaderValue::from_static(JSON) });
    for (name, value) in &headers {
        // Both crates accept the same names and values; the bytes are copied, not the types.
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_str().as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            out.append(name, value);
        }
    }
    response
}

impl ResponseError for AnyError {
    fn status_code(&self) -> StatusCode {
        status(&**self)
    }

    fn error_response(&self) -> HttpResponse {
        respond(&**self)
    }
}

//! Responses for axum 0.8.

use axum::body::Body;
use http::header::CONTENT_TYPE;

use crate::format::{Format, JsonEnvelope};
use crate::render::{Rendered, render};
use crate::{AnyError, ApiError};

pub use axum::response::{IntoResponse, Response};

/// The answer to `error` in the default format.
pub fn respond(error: &dyn ApiError) -> Response {
    let mut response = Response::new(Body::empty());
    let Rendered { status, body, .. } = render(error, &JsonEnvelope, response.headers_mut());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, JsonEnvelope.content_type());
    *response.status_mut() = status;
    *response.body_mut() = Body::from(body);
    response
}

impl IntoResponse for AnyError {
    fn into_response(self) -> Response {
        respond(&*self)
    }
}

//! Responses for axum 0.8.

use std::error::Error;

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

use crate::edge::{self, Answer};
use crate::format::{Format as _, JsonEnvelope};
use crate::render::{Rendered, render_here};
use crate::{AnyError, ApiError};

pub use axum::response::{IntoResponse, Response};

/// The answer to `error` for the request of this code; outside of any layer in the default format.
pub fn respond(error: &dyn ApiError) -> Response {
    respond_to(error, None)
}

fn respond_to(error: &dyn ApiError, typed: Option<&(dyn Error + 'static)>) -> Response {
    let mut response = Response::new(Body::empty());
    if edge::is_here()
        && let Some(answer) = edge::answer_here(error, typed, response.headers_mut())
    {
        let Answer {
            status,
            body,
            content_type,
            record,
            ..
        } = answer;
        response.extensions_mut().insert(record);
        return finish(response, status, content_type, body);
    }
    let Rendered { status, body, .. } = render_here(error, &JsonEnvelope, response.headers_mut());
    finish(response, status, JsonEnvelope.content_type(), body)
}

#[inline]
fn finish(
    mut response: Response,
    status: StatusCode,
    content_type: HeaderValue,
    body: Vec<u8>,
) -> Response {
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    *response.status_mut() = status;
    *response.body_mut() = Body::from(body);
    response
}

impl IntoResponse for AnyError {
    fn into_response(self) -> Response {
        let error: &(dyn ApiError + Send + Sync) = &*self;
        respond_to(error, Some(error))
    }
}

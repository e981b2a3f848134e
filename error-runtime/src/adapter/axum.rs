//! Responses for axum 0.8.

use std::error::Error;

use axum::body::Body;
use http::header::CONTENT_TYPE;

use crate::edge::{Answer, answer};
use crate::{AnyError, ApiError};

pub use axum::response::{IntoResponse, Response};

/// The answer to `error` for the request of this code; outside of any layer in the default format.
pub fn respond(error: &dyn ApiError) -> Response {
    respond_to(error, None)
}

fn respond_to(error: &dyn ApiError, typed: Option<&(dyn Error + 'static)>) -> Response {
    let mut response = Response::new(Body::empty());
    let Answer {
        status,
        body,
        content_type,
        record,
        ..
    } = answer(error, typed, response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    *response.status_mut() = status;
    *response.body_mut() = Body::from(body);
    if let Some(record) = record {
        response.extensions_mut().insert(record);
    }
    response
}

impl IntoResponse for AnyError {
    fn into_response(self) -> Response {
        let error: &(dyn ApiError + Send + Sync) = &*self;
        respond_to(error, Some(error))
    }
}

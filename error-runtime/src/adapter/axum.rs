//! Responses for axum 0.8.

use axum::body::Body;

use crate::{AnyError, ApiError, http_response};

pub use axum::response::{IntoResponse, Response};

/// The answer to `error` in the default format.
pub fn respond(error: &dyn ApiError) -> Response {
    http_response(error).map(Body::from)
}

impl IntoResponse for AnyError {
    fn into_response(self) -> Response {
        respond(&*self)
    }
}

//! The derive of this library. The request's id comes from the entered `RequestContext`, the time from
//! the clock.

use actix_web::{HttpResponse, ResponseError};
use axum::response::{IntoResponse, Response};
use error_runtime::ApiError;

use crate::case::{Failure, failure};

#[derive(Debug, ApiError)]
enum JobError {
    #[api(status = 404, message = "{resource} {id} not found", details)]
    NotFound {
        resource: &'static str,
        id: u64,
        tenant: &'static str,
    },
    // A second variant, as real enums have: the code has to ask which one it is.
    #[allow(dead_code, reason = "declared for its shape")]
    #[api(status = 409, message = "{resource} is taken", details)]
    Taken { resource: &'static str },
}

fn error() -> JobError {
    let Failure {
        resource,
        id,
        tenant,
    } = failure();
    JobError::NotFound {
        resource,
        id,
        tenant,
    }
}

pub fn axum() -> Response {
    error().into_response()
}

pub fn actix() -> HttpResponse {
    error().error_response()
}

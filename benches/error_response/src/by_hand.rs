//! What one writes without a library: an envelope struct with serde, handed to the framework.
//!
//! It has all members of our envelope, so the bodies are equal but for the time. It does less work for
//! them: id, time, status and whether a retry may help are given to it.

use actix_web::HttpResponse;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::case::{Failure, Given, failure, given};

#[derive(Serialize)]
struct Envelope {
    error: Inner,
}

#[derive(Serialize)]
struct Inner {
    code: &'static str,
    message: String,
    status: u16,
    details: Details,
    request_id: &'static str,
    timestamp: &'static str,
    recoverable: bool,
}

/// Also the typed extension of the peers that take one.
#[derive(Serialize)]
pub struct Details {
    pub resource: &'static str,
    pub id: u64,
    pub tenant: &'static str,
}

impl From<Failure> for Details {
    fn from(
        Failure {
            resource,
            id,
            tenant,
        }: Failure,
    ) -> Self {
        Self {
            resource,
            id,
            tenant,
        }
    }
}

pub const CODE: &str = "NOT_FOUND";

pub fn message(failure: Failure) -> String {
    format!("{} {} not found", failure.resource, failure.id)
}

fn envelope() -> Envelope {
    let failure = failure();
    let Given {
        request_id,
        timestamp,
    } = given();
    Envelope {
        error: Inner {
            code: CODE,
            message: message(failure),
            status: 404,
            details: failure.into(),
            request_id,
            timestamp,
            recoverable: false,
        },
    }
}

pub fn axum() -> Response {
    (StatusCode::NOT_FOUND, Json(envelope())).into_response()
}

/// What those write who need less: without `status` and `recoverable`, as the peers.
pub fn axum_fewer_members() -> Response {
    #[derive(Serialize)]
    struct Envelope {
        error: Inner,
    }

    #[derive(Serialize)]
    struct Inner {
        code: &'static str,
        message: String,
        details: Details,
        request_id: &'static str,
        timestamp: &'static str,
    }

    let (failure, given) = (failure(), given());
    let envelope = Envelope {
        error: Inner {
            code: CODE,
            message: message(failure),
            details: failure.into(),
            request_id: given.request_id,
            timestamp: given.timestamp,
        },
    };
    (StatusCode::NOT_FOUND, Json(envelope)).into_response()
}

pub fn actix() -> HttpResponse {
    HttpResponse::build(actix_web::http::StatusCode::NOT_FOUND).json(envelope())
}

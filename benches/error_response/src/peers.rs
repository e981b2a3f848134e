//! Other libraries, each used as its documentation shows, with as much of the case as it can carry.
//! Id and time are given to them.

use api_error::ApiError;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use masterror::AppError;
use problem_details::ProblemDetails;
use serde::Serialize;
use serde_json::{Value, json};

use crate::by_hand::{CODE, Details, message};
use crate::case::{Failure, Given, failure, given};

/// Code and time go into fields; its body names the code by itself.
pub fn masterror() -> Response {
    let (failure, given) = (failure(), given());
    AppError::not_found(message(failure))
        .with_details_json(details_value(failure))
        .with_field(masterror::field::str("request_id", given.request_id))
        .with_field(masterror::field::str("timestamp", given.timestamp))
        .into_response()
}

/// Typed extension members: its fastest way.
pub fn problem_details() -> Response {
    let (failure, given) = (failure(), given());
    ProblemDetails::from_status_code(StatusCode::NOT_FOUND)
        .with_detail(message(failure))
        .with_extensions(Extension::new(failure, given))
        .into_response()
}

#[derive(Serialize)]
struct Extension {
    code: &'static str,
    details: Details,
    request_id: &'static str,
    timestamp: &'static str,
}

impl Extension {
    fn new(failure: Failure, given: Given) -> Self {
        Self {
            code: CODE,
            details: failure.into(),
            request_id: given.request_id,
            timestamp: given.timestamp,
        }
    }
}

/// Its derive: the body is `{"message":…}` and nothing else.
pub fn api_error_message_only() -> Response {
    #[derive(Debug, thiserror::Error, ApiError)]
    enum JobError {
        #[error("not found")]
        #[api_error(status_code = 404, message = "{resource} {id} not found")]
        NotFound {
            resource: &'static str,
            id: u64,
            #[allow(dead_code, reason = "the derive has no place for it")]
            tenant: &'static str,
        },
    }

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
    .into_response()
}

/// With everything else in `extended`, the place that it has for further members.
pub fn api_error() -> Response {
    #[derive(Debug, thiserror::Error)]
    #[error("not found")]
    struct NotFound(Failure);

    impl ApiError for NotFound {
        fn status_code(&self) -> StatusCode {
            StatusCode::NOT_FOUND
        }

        fn message(&self) -> std::borrow::Cow<'_, str> {
            message(self.0).into()
        }

        fn extended(&self) -> Option<Value> {
            let given = given();
            Some(json!({
                "code": CODE,
                "details": details_value(self.0),
                "request_id": given.request_id,
                "timestamp": given.timestamp,
            }))
        }
    }

    api_error::axum::default_error_responder(&NotFound(failure()))
}

fn details_value(failure: Failure) -> Value {
    json!({"resource": failure.resource, "id": failure.id, "tenant": failure.tenant})
}

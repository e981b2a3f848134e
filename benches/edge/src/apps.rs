//! The services that are compared: one router, with other layers around it.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use error_runtime::{ApiError, Delivery, ErrorEvent, ErrorLayer, Reporter};
use serde::Serialize;
use tower::ServiceBuilder;
use tower_http::ServiceBuilderExt as _;
use tower_http::request_id::MakeRequestUuid;
use tower_http::trace::TraceLayer;

/// Declared: rendered by this library.
#[derive(Debug, ApiError)]
#[api(domain = "jobs")]
enum JobError {
    #[api(status = 404, message = "job {id} not found")]
    NotFound {
        #[api(detail)]
        id: u64,
    },
}

/// The same by hand.
struct ByHand {
    id: u64,
}

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
    recoverable: bool,
}

#[derive(Serialize)]
struct Details {
    id: u64,
}

impl IntoResponse for ByHand {
    fn into_response(self) -> Response {
        let error = Inner {
            code: "NOT_FOUND",
            message: format!("job {} not found", self.id),
            status: 404,
            details: Details { id: self.id },
            recoverable: false,
        };
        (StatusCode::NOT_FOUND, Json(Envelope { error })).into_response()
    }
}

async fn by_hand() -> Result<&'static str, ByHand> {
    Err(ByHand {
        id: std::hint::black_box(7),
    })
}

async fn declared() -> Result<&'static str, JobError> {
    Err(JobError::NotFound {
        id: std::hint::black_box(7),
    })
}

/// No layers.
pub fn plain() -> Router {
    Router::new()
        .route("/ok", get(|| async { "ok" }))
        .route("/err", get(by_hand))
        .route("/declared", get(declared))
}

pub fn nop() -> Router {
    plain().layer(tower::layer::layer_fn(|service| service))
}

pub fn ours() -> Router {
    plain().layer(ErrorLayer::new())
}

/// With a reporter that takes no time itself.
pub fn reported() -> Router {
    struct Nothing;

    impl Reporter for Nothing {
        fn report(&self, event: &ErrorEvent) {
            std::hint::black_box(event);
        }

        fn delivery(&self) -> Delivery {
            Delivery::Inline
        }
    }

    plain().layer(ErrorLayer::new().reporter(Nothing))
}

/// A request id, a span, and the id in the response.
pub fn tower_http() -> Router {
    plain().layer(
        ServiceBuilder::new()
            .set_x_request_id(MakeRequestUuid)
            .layer(TraceLayer::new_for_http())
            .propagate_x_request_id(),
    )
}

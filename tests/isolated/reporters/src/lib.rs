//! What the tests of the reporters share.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::get;
use error_runtime::{ApiError, ErrorLayer, Rejected, RequestContext, retry};
use std::io;
use tower::ServiceExt as _;

/// One failure of each kind that reporters tell apart.
#[derive(Debug, ApiError)]
#[api(domain = "shop")]
pub enum ShopError {
    #[api(status = 404, message = "order {id} not found")]
    NotFound {
        #[api(detail)]
        id: u64,
    },
    #[api(
        status = 500,
        display = "the ledger at 10.0.0.7 is gone\r\nERROR forged \u{1b}[31m"
    )]
    Ledger(#[from] io::Error),
    #[api(status = 500, report = false)]
    Quiet,
    #[api(status = 503, retryable)]
    Flaky,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

#[retry(attempts = 3, base = "0s", operation = "charge")]
async fn charge() -> Result<(), ShopError> {
    Err(ShopError::Flaky)
}

async fn ledger() -> Result<(), ShopError> {
    if let Some(context) = RequestContext::current() {
        context.set_user("user-7");
    }
    let disk = io::Error::other("password hunter2 refused");
    Err(io::Error::new(io::ErrorKind::ConnectionReset, disk).into())
}

/// A shop in which everything fails.
pub fn app(layer: ErrorLayer) -> Router {
    Router::new()
        .route(
            "/orders/{id}",
            get(|| async { Err::<(), _>(ShopError::NotFound { id: 7 }) }),
        )
        .route("/ledger", get(ledger))
        .route("/quiet", get(|| async { Err::<(), _>(ShopError::Quiet) }))
        .route("/charge", get(charge))
        .route(
            "/refused",
            get(|| async { Err::<(), _>(ShopError::from(Rejected::BulkheadFull)) }),
        )
        .route("/ok", get(|| async { "fine" }))
        .layer(layer)
}

/// A request in process, with an id of its own.
pub async fn call(app: &Router, path: &str, id: &str) -> Response<Body> {
    let request = Request::get(path)
        .header("x-request-id", id)
        .body(Body::empty())
        .expect("a request");
    app.clone()
        .oneshot(request)
        .await
        .expect("a router cannot fail")
}

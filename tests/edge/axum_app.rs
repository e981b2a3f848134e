//! The routes on axum.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Form, Json, Multipart, Path, Query, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{any, get, post};
use error_runtime::{ErrorLayer, RequestContext};
use tower::limit::ConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower::timeout::TimeoutLayer;
use tower::{Layer as _, ServiceBuilder, service_fn};

use crate::errors::{Clash, SECRET, ShopError, fail, fail_erased};
use crate::routes::{self, LIMIT, Order};
use crate::servers::{Reporters, Variant, edge, nested_edge};

pub(crate) fn app(variant: Variant, reporters: &Reporters) -> Router {
    let fails = || any(async |Path(kind): Path<String>| fail(&kind));
    Router::new()
        .route("/ok", get(async || "fine"))
        .route("/fail/{kind}", fails())
        .route(
            "/erased/{kind}",
            get(async |Path(kind): Path<String>| fail_erased(&kind)),
        )
        .route("/api/fail/{kind}", fails())
        .route("/apiary/fail/{kind}", fails())
        .route(
            "/made/{kind}",
            any(async |Path(kind): Path<String>| made(&kind)),
        )
        .route(
            "/context/{kind}",
            get(async |context: RequestContext, Path(kind): Path<String>| {
                routes::context(context, &kind).await
            }),
        )
        .route("/number/{n}", get(async |Path(n): Path<u8>| n.to_string()))
        .route(
            "/query",
            get(async |Query(order): Query<Order>| order.count.to_string()),
        )
        .route(
            "/json",
            post(async |Json(order): Json<Order>| order.count.to_string()),
        )
        .route(
            "/form",
            post(async |Form(order): Form<Order>| order.count.to_string()),
        )
        .route(
            "/limited",
            post(async |body: Bytes| body.len().to_string()).layer(DefaultBodyLimit::max(LIMIT)),
        )
        .route("/upload", post(upload))
        .route(
            "/stream/{kind}",
            get(async |Path(kind): Path<String>| {
                Body::from_stream(routes::parts::<Bytes>(kind == "breaks"))
            }),
        )
        .route("/guarded", get(async || "fine").layer(from_fn(guard)))
        .merge(failing_services())
        .nest("/nested", nested(reporters))
        .layer(edge!(ErrorLayer, variant, reporters))
}

/// Services whose error is none of ours.
fn failing_services() -> Router {
    let late = ServiceBuilder::new()
        .layer(ErrorLayer::new())
        .layer(TimeoutLayer::new(Duration::from_millis(1)));
    // It has room for nobody.
    let shed = ServiceBuilder::new()
        .layer(ErrorLayer::new())
        .layer(LoadShedLayer::new())
        .layer(ConcurrencyLimitLayer::new(0));
    let broken = service_fn(async |_| Err::<Response, _>(io::Error::other(SECRET)));
    Router::new()
        .route("/late", get(routes::never).layer(late))
        .route("/shed", get(routes::never).layer(shed))
        .route_service("/broken", ErrorLayer::new().layer(broken))
}

/// A blueprint with handlers of its own, and one within it that has none.
fn nested(reporters: &Reporters) -> Router {
    let fails = || get(async |Path(kind): Path<String>| fail(&kind));
    let inner = Router::new()
        .route("/fail/{kind}", fails())
        .layer(ErrorLayer::new().reporters(reporters.all.clone()));
    Router::new()
        .route("/fail/{kind}", fails())
        .route(
            "/made/{kind}",
            get(async |Path(kind): Path<String>| made(&kind)),
        )
        .route("/guarded", get(async || "fine").layer(from_fn(guard)))
        .nest("/inner", inner)
        .layer(nested_edge!(ErrorLayer, reporters))
}

/// A middleware with an error of ours.
async fn guard(_: Request, _: Next) -> Result<Response, ShopError> {
    Err(Clash.into())
}

fn made(kind: &str) -> Response {
    let made = routes::made(kind);
    let mut response = Response::builder().status(made.status);
    for (name, value) in made.headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(made.body)).unwrap()
}

async fn upload(mut parts: Multipart) -> Result<String, Response> {
    let mut bytes = 0;
    let refused = |error: axum::extract::multipart::MultipartError| {
        axum::response::IntoResponse::into_response(error)
    };
    while let Some(part) = parts.next_field().await.map_err(refused)? {
        bytes += part.bytes().await.map_err(refused)?.len();
    }
    Ok(bytes.to_string())
}

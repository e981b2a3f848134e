//! What stands between a client and a server, and answers in its place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::any;

/// A proxy in front of `server`. The first answer that it gets is lost: the server has done its work, and
/// the client is told a 502. Some paths are never passed on.
pub(crate) fn proxy(server: String) -> Router {
    let proxy = Proxy {
        client: reqwest::Client::new(),
        server,
        has_lost: Arc::default(),
    };
    Router::new()
        .route("/empty/{*path}", any(StatusCode::SERVICE_UNAVAILABLE))
        .route(
            "/portal/{*path}",
            any(Html("<h1>Welcome to the hotel</h1>")),
        )
        .route("/moved/{*path}", any(moved))
        .route(
            "/endless/{*path}",
            any(|| async { "all is well. ".repeat(1 << 20) }),
        )
        .fallback(pass_on)
        .with_state(proxy)
}

#[derive(Clone)]
struct Proxy {
    client: reqwest::Client,
    server: String,
    has_lost: Arc<AtomicBool>,
}

async fn moved() -> (StatusCode, [(header::HeaderName, &'static str); 1]) {
    (StatusCode::FOUND, [(header::LOCATION, "/sign-in")])
}

async fn pass_on(
    State(proxy): State<Proxy>,
    method: Method,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    headers.remove(header::HOST);
    let url = format!("{}{uri}", proxy.server);
    let request = proxy.client.request(method, url).headers(headers);
    match request.body(body).send().await {
        Ok(answer) if proxy.has_lost.swap(true, Ordering::Relaxed) => {
            let (status, headers) = (answer.status(), answer.headers().clone());
            let body = answer.bytes().await.unwrap_or_default();
            (status, headers, body).into_response()
        }
        _ => {
            let page = Html("<html><h1>502 Bad Gateway</h1></html>");
            (StatusCode::BAD_GATEWAY, page).into_response()
        }
    }
}

//! Retry, circuit breaker, time-out and fallback around calls to a real HTTP server on loopback: first as
//! attributes on functions, then as tower layers around an HTTP client.
//!
//! ```sh
//! cargo run -p examples --example policies
//! ```

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::{Router, routing::get};
use error_runtime::tower::{CircuitBreakerLayer, FallbackLayer, RetryLayer, TimeoutLayer};
use error_runtime::{
    ApiError, Breakers, CircuitBreaker, Rejected, RetryEvent, RetryPolicy, circuit_breaker,
    recover, retry, timeout,
};
use http::{Request, Response};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt as _, service_fn};

/// What can go wrong with the catalogue. The policies read this, and so do the answers of a server.
#[derive(Debug, ApiError)]
enum CatalogueError {
    #[api(status = 503, message = "the catalogue is busy")]
    Busy,
    #[api(status = 404, message = "the catalogue has no such page")]
    NoSuchPage,
    #[api(status = 502, message = "the catalogue cannot be reached", retryable)]
    Unreachable(#[from] reqwest::Error),
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

/// Retried, guarded and limited: the outermost stands on top.
#[retry(attempts = 4, base = "10ms", operation = "catalogue", on_retry = print_retry)]
#[circuit_breaker(service = "catalogue", failures = 5, recovery = "60s")]
#[timeout("1s")]
async fn page(server: &str, path: &str) -> Result<String, CatalogueError> {
    fetch(server, path).await
}

/// The three in one, with something else to do where the catalogue fails.
#[recover(
    service = "catalogue",
    attempts = 1,
    fallback = Ok(remembered(path, &error))
)]
async fn page_or_copy(server: &str, path: &str) -> Result<String, CatalogueError> {
    fetch(server, path).await
}

async fn fetch(server: &str, path: &str) -> Result<String, CatalogueError> {
    let response = reqwest::get(format!("{server}{path}")).await?;
    match response.status() {
        StatusCode::NOT_FOUND => Err(CatalogueError::NoSuchPage),
        status if status.is_server_error() => Err(CatalogueError::Busy),
        _ => Ok(response.text().await?),
    }
}

fn remembered(path: &str, error: &CatalogueError) -> String {
    format!("yesterday's copy of {path}, since {error}")
}

fn print_retry(event: &RetryEvent<'_>) {
    println!(
        "    attempt {} of {} failed ({}), the next in {:?}",
        event.attempt,
        event.operation,
        event.code.unwrap_or("no code"),
        event.delay
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let server = start_catalogue().await?;
    Breakers::global().on_transition(|event| {
        let change = &event.transition;
        println!(
            "    the circuit of {} was {} and is {}",
            event.service,
            change.from.as_str(),
            change.to.as_str()
        );
    });

    println!("A page that fails twice, then comes:");
    println!("  {:?}", page(&server, "/flaky").await);
    println!(
        "A page that is not there is the caller's mistake: one call, and the breaker counts a success:"
    );
    println!("  {:?}", page(&server, "/missing").await);
    println!("A page that always fails, until the circuit opens:");
    for _ in 0..2 {
        println!("  {:?}", page(&server, "/down").await);
    }
    println!("The same, with a fallback:");
    println!("  {:?}", page_or_copy(&server, "/down").await);

    println!("Reset, as an admin page would:");
    Breakers::global().reset("catalogue")?;
    println!("  {:?}", page(&server, "/flaky").await);

    println!("The same policies as layers around a client:");
    let mut client = layered_client(server)?;
    for path in ["/flaky", "/missing", "/down"] {
        let response = client.ready().await?.call(Request::new(path)).await?;
        println!("  {path}: {} {}", response.status(), response.body());
    }
    Ok(())
}

/// A client for any request that can be copied; here a request is a path.
fn layered_client(
    server: String,
) -> Result<
    impl Service<Request<&'static str>, Response = Response<String>, Error = BoxError>,
    Box<dyn Error + Send + Sync>,
> {
    let client = reqwest::Client::new();
    let send = service_fn(move |request: Request<&'static str>| {
        let call = client.get(format!("{server}{}", request.body()));
        async move {
            // The layers see the status and `Retry-After`.
            let response = call.send().await?;
            let mut answer = Response::builder().status(response.status());
            if let Some(wait) = response.headers().get(header::RETRY_AFTER) {
                answer = answer.header(header::RETRY_AFTER, wait);
            }
            Ok::<_, BoxError>(answer.body(response.text().await?)?)
        }
    });
    let policy = RetryPolicy::builder()
        .attempts(4)
        .base(Duration::from_millis(10))
        .on_retry(print_retry)
        .operation("layered")
        .build()?;
    let breaker = CircuitBreaker::builder("catalogue-layered").build()?;
    Ok(ServiceBuilder::new()
        .layer(FallbackLayer::new(|_| async {
            Ok(Response::new("yesterday's copy".to_owned()))
        }))
        .layer(
            RetryLayer::new(policy)
                .only(|request: &Request<&str>| request.method().is_idempotent()),
        )
        .layer(CircuitBreakerLayer::new(breaker))
        .layer(TimeoutLayer::new(Duration::from_secs(1)))
        .service(send))
}

/// A server of which some pages fail.
async fn start_catalogue() -> Result<String, Box<dyn Error + Send + Sync>> {
    let calls = Arc::new(AtomicU32::new(0));
    let flaky = move || {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        async move {
            if call % 3 == 2 {
                "a page".into_response()
            } else {
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    [(header::RETRY_AFTER, "0")],
                )
                    .into_response()
            }
        }
    };
    let app = Router::new()
        .route("/flaky", get(flaky))
        .route("/down", get(|| async { StatusCode::SERVICE_UNAVAILABLE }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(format!("http://{address}"))
}

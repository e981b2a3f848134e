//! The policies as tower layers, on the same engines.
//!
//! Their errors are boxed, so that each can say [`Rejected`](crate::Rejected) whatever the service's own
//! error is. They take HTTP responses apart by status and `Retry-After`; for a service whose errors are
//! declared give [`ByClass`] to `classify`, for anything else a closure.
//!
//! ```
//! use error_runtime::tower::{CircuitBreakerLayer, FallbackLayer, RetryLayer, TimeoutLayer};
//! use error_runtime::{CircuitBreaker, RetryPolicy};
//! use http::{Request, Response};
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let upstream = service_fn(|_: Request<String>| async {
//!     Response::builder().status(503).body(String::new())
//! });
//! // Outermost first, as with the attributes.
//! let service = ServiceBuilder::new()
//!     .layer(FallbackLayer::new(|_failure| async { Ok(Response::new("from the cache".to_owned())) }))
//!     .layer(RetryLayer::new(RetryPolicy::builder().base(Duration::ZERO).build()?))
//!     .layer(CircuitBreakerLayer::new(CircuitBreaker::builder("upstream").build()?))
//!     .layer(TimeoutLayer::new(Duration::from_secs(2)))
//!     .service(upstream);
//! let response = service.oneshot(Request::new(String::new())).await.unwrap();
//! assert_eq!(response.body(), "from the cache");
//! # Ok::<(), error_runtime::ConfigError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod circuit_breaker;
mod classify;
mod fallback;
mod retry;
mod timeout;

pub use circuit_breaker::{CircuitBreakerLayer, CircuitBreakerService};
pub use classify::{ByClass, ByStatus, ClassifyAnswer};
pub use fallback::{Failure, FallbackLayer, FallbackService};
pub use retry::{MayRepeat, RetryLayer, RetryService};
pub use timeout::{TimeoutLayer, TimeoutService};

use std::error::Error;
use std::pin::Pin;

/// The error of a service under these layers.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The future of a service under these layers.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Takes the service that was asked whether it is ready, and leaves a copy that was not.
fn take_ready<S: Clone>(service: &mut S) -> S {
    let copy = service.clone();
    std::mem::replace(service, copy)
}

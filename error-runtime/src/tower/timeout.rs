//! A limit of time for each request.

use std::task::{Context, Poll};
use std::time::Duration;

use tower_layer::Layer;
use tower_service::Service;

use super::{BoxError, BoxFuture};
use crate::with_timeout;

/// Gives up a request that takes longer, as [`Rejected::Timeout`](crate::Rejected::Timeout).
#[derive(Clone, Copy, Debug)]
pub struct TimeoutLayer {
    limit: Duration,
}

impl TimeoutLayer {
    /// Gives up after `limit`.
    pub const fn new(limit: Duration) -> Self {
        Self { limit }
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = TimeoutService<S>;

    fn layer(&self, service: S) -> Self::Service {
        TimeoutService {
            service,
            limit: self.limit,
        }
    }
}

/// A service under a [`TimeoutLayer`].
#[derive(Clone, Debug)]
pub struct TimeoutService<S> {
    service: S,
    limit: Duration,
}

impl<S, Request> Service<Request> for TimeoutService<S>
where
    S: Service<Request, Error: Into<BoxError>, Future: Send + 'static>,
    S::Response: Send,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<S::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (call, limit) = (self.service.call(request), self.limit);
        Box::pin(with_timeout(limit, async {
            call.await.map_err(Into::into)
        }))
    }
}

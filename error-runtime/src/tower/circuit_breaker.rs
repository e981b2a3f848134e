//! A breaker before a service.

use std::fmt;
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use super::{BoxError, BoxFuture, ByStatus, ClassifyAnswer, take_ready};
use crate::circuit_breaker::Verdict;
use crate::{BreakerHandle, Outcome};

/// Guards a service by a circuit breaker; a refused request is
/// [`Rejected::CircuitOpen`](crate::Rejected::CircuitOpen), and the service is not called.
///
/// Whether the service is ready is its own affair: it is asked before the circuit, and an error of
/// `poll_ready` is passed on uncounted.
#[derive(Clone)]
pub struct CircuitBreakerLayer<C = ByStatus> {
    breaker: BreakerHandle,
    classify: C,
}

impl CircuitBreakerLayer {
    /// Guards by this breaker: one's own, a `static`, or one of the registry.
    pub fn new(breaker: impl Into<BreakerHandle>) -> Self {
        Self {
            breaker: breaker.into(),
            classify: ByStatus,
        }
    }

    /// One's own view of what an answer means.
    #[must_use]
    pub fn classify<N>(self, classify: N) -> CircuitBreakerLayer<N> {
        CircuitBreakerLayer {
            breaker: self.breaker,
            classify,
        }
    }
}

impl<C> fmt::Debug for CircuitBreakerLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerLayer")
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}

impl<S, C: Clone> Layer<S> for CircuitBreakerLayer<C> {
    type Service = CircuitBreakerService<S, C>;

    fn layer(&self, service: S) -> Self::Service {
        CircuitBreakerService {
            service,
            layer: self.clone(),
        }
    }
}

/// A service under a [`CircuitBreakerLayer`].
#[derive(Clone)]
pub struct CircuitBreakerService<S, C = ByStatus> {
    service: S,
    layer: CircuitBreakerLayer<C>,
}

impl<S: fmt::Debug, C> fmt::Debug for CircuitBreakerService<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerService")
            .field("service", &self.service)
            .field("layer", &self.layer)
            .finish()
    }
}

impl<S, C, Request> Service<Request> for CircuitBreakerService<S, C>
where
    S: Service<Request, Error: Into<BoxError>, Future: Send> + Clone + Send + 'static,
    S::Response: Send,
    Request: Send + 'static,
    C: ClassifyAnswer<S::Response>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<S::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let CircuitBreakerLayer { breaker, classify } = self.layer.clone();
        let mut service = take_ready(&mut self.service);
        Box::pin(async move {
            // Called only if the circuit lets it: some services begin before they are polled.
            let call = async { service.call(request).await.map_err(Into::into) };
            let when =
                |answer: &Result<S::Response, BoxError>| match classify.classify_answer(answer) {
                    Some(classification) => Verdict::from(classification),
                    None => Outcome::Ok.into(),
                };
            breaker.call_async_when(call, when).await
        })
    }
}

//! Another answer where a service fails.

use std::fmt;
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use super::{BoxError, BoxFuture, ByStatus, ClassifyAnswer};
use crate::Outcome;

/// What a fallback is told: the error, or the response that is a failure.
#[derive(Debug)]
pub enum Failure<Response> {
    /// No response came.
    Error(BoxError),
    /// One that says that the service failed.
    Response(Response),
}

/// Answers in the place of a service that has failed, or that a policy kept from being asked. A
/// caller's own mistake passes.
#[derive(Clone)]
pub struct FallbackLayer<F, C = ByStatus> {
    fallback: F,
    classify: C,
}

impl<F> FallbackLayer<F> {
    /// Answers by this closure, from [`Failure`] to a future of the result.
    pub const fn new(fallback: F) -> Self {
        Self {
            fallback,
            classify: ByStatus,
        }
    }

    /// One's own view of what an answer means.
    #[must_use]
    pub fn classify<N>(self, classify: N) -> FallbackLayer<F, N> {
        FallbackLayer {
            fallback: self.fallback,
            classify,
        }
    }
}

impl<F, C> fmt::Debug for FallbackLayer<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackLayer").finish_non_exhaustive()
    }
}

impl<S, F: Clone, C: Clone> Layer<S> for FallbackLayer<F, C> {
    type Service = FallbackService<S, F, C>;

    fn layer(&self, service: S) -> Self::Service {
        FallbackService {
            service,
            layer: self.clone(),
        }
    }
}

/// A service under a [`FallbackLayer`].
#[derive(Clone)]
pub struct FallbackService<S, F, C = ByStatus> {
    service: S,
    layer: FallbackLayer<F, C>,
}

impl<S: fmt::Debug, F, C> fmt::Debug for FallbackService<S, F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackService")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl<S, F, A, C, Request> Service<Request> for FallbackService<S, F, C>
where
    S: Service<Request, Error: Into<BoxError>, Future: Send + 'static>,
    S::Response: Send,
    F: Fn(Failure<S::Response>) -> A + Clone + Send + 'static,
    A: Future<Output = Result<S::Response, BoxError>> + Send,
    C: ClassifyAnswer<S::Response>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<S::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let FallbackLayer { fallback, classify } = self.layer.clone();
        let call = self.service.call(request);
        Box::pin(async move {
            let answer = call.await.map_err(Into::into);
            let failed = classify
                .classify_answer(&answer)
                .is_some_and(|failure| failure.outcome == Outcome::Trip || failure.rejected);
            if !failed {
                return answer;
            }
            let failure = match answer {
                Ok(response) => Failure::Response(response),
                Err(error) => Failure::Error(error),
            };
            fallback(failure).await
        })
    }
}

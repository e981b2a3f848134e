//! Retries of a service.

use std::fmt;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use super::{BoxError, BoxFuture, ByStatus, ClassifyAnswer, take_ready};
use crate::retry::{Core, Retry, RetryPolicy};

/// Sends a request again as long as the answer says that it may help.
///
/// Requests are copied for each attempt. Those that may not be sent twice are left out with
/// [`only`](Self::only).
pub struct RetryLayer<C = ByStatus, O = ()> {
    core: Arc<Core>,
    classify: C,
    only: O,
}

impl RetryLayer {
    /// Retries by this policy.
    pub fn new<L>(policy: RetryPolicy<L>) -> Self {
        Self {
            core: Arc::new(policy.into_core()),
            classify: ByStatus,
            only: (),
        }
    }
}

impl<C, O> RetryLayer<C, O> {
    /// One's own view of what an answer means.
    #[must_use]
    pub fn classify<N>(self, classify: N) -> RetryLayer<N, O> {
        RetryLayer {
            core: self.core,
            classify,
            only: self.only,
        }
    }

    /// Retries these requests only, such as `|request| request.method().is_idempotent()`.
    #[must_use]
    pub fn only<Request, N: Fn(&Request) -> bool>(self, only: N) -> RetryLayer<C, N> {
        RetryLayer {
            core: self.core,
            classify: self.classify,
            only,
        }
    }
}

impl<C: Clone, O: Clone> Clone for RetryLayer<C, O> {
    fn clone(&self) -> Self {
        Self {
            core: Arc::clone(&self.core),
            classify: self.classify.clone(),
            only: self.only.clone(),
        }
    }
}

impl<C, O> fmt::Debug for RetryLayer<C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryLayer")
            .field("policy", &self.core)
            .finish_non_exhaustive()
    }
}

impl<S, C: Clone, O: Clone> Layer<S> for RetryLayer<C, O> {
    type Service = RetryService<S, C, O>;

    fn layer(&self, service: S) -> Self::Service {
        RetryService {
            service,
            layer: self.clone(),
        }
    }
}

/// A service under a [`RetryLayer`].
pub struct RetryService<S, C = ByStatus, O = ()> {
    service: S,
    layer: RetryLayer<C, O>,
}

impl<S: Clone, C: Clone, O: Clone> Clone for RetryService<S, C, O> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S: fmt::Debug, C, O> fmt::Debug for RetryService<S, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryService")
            .field("service", &self.service)
            .field("layer", &self.layer)
            .finish()
    }
}

/// Which requests may be sent again.
pub trait MayRepeat<Request>: Clone + Send + 'static {
    /// Whether this one may.
    fn may_repeat(&self, request: &Request) -> bool;
}

impl<Request> MayRepeat<Request> for () {
    fn may_repeat(&self, _: &Request) -> bool {
        true
    }
}

impl<Request, F: Fn(&Request) -> bool + Clone + Send + 'static> MayRepeat<Request> for F {
    fn may_repeat(&self, request: &Request) -> bool {
        self(request)
    }
}

impl<S, C, O, Request> Service<Request> for RetryService<S, C, O>
where
    S: Service<Request, Error: Into<BoxError>, Future: Send> + Clone + Send + 'static,
    S::Response: Send,
    Request: Clone + Send + 'static,
    C: ClassifyAnswer<S::Response>,
    O: MayRepeat<Request>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<S::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let mut service = take_ready(&mut self.service);
        let (core, classify) = (Arc::clone(&self.layer.core), self.layer.classify.clone());
        let repeat = self.layer.only.may_repeat(&request);
        Box::pin(async move {
            let mut retry = Retry::start(&core);
            let (mut held, mut is_ready) = (request, true);
            loop {
                // The last attempt takes the request itself.
                let (request, kept) = if repeat && retry.has_more() {
                    (held.clone(), Some(held))
                } else {
                    (held, None)
                };
                // Waiting until the service is ready is part of the attempt: limited, and classified.
                let call = async {
                    if !std::mem::take(&mut is_ready) {
                        poll_fn(|context| service.poll_ready(context))
                            .await
                            .map_err(Into::into)?;
                    }
                    service.call(request).await.map_err(Into::into)
                };
                let answer = if core.config.attempt_timeout.is_some() {
                    retry.limited(call).await
                } else {
                    retry.attempt(call).await
                };
                let judge = |answer: &Result<S::Response, BoxError>| {
                    let mut failure = classify.classify_answer(answer)?;
                    failure.retryable &= repeat;
                    Some(failure)
                };
                let wait = match retry.after_judged(answer, judge) {
                    ControlFlow::Break(answer) => return answer,
                    ControlFlow::Continue(wait) => wait,
                };
                wait.sleep().await;
                held = match kept {
                    Some(request) => request,
                    None => unreachable!("an answer to the last copy is not worth another attempt"),
                };
            }
        })
    }
}

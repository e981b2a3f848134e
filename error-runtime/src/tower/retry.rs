//! Retries of a service.

use std::fmt;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use super::{BoxError, BoxFuture, ByStatus, ClassifyAnswer, take_ready};
use crate::retry::{RetryPolicy, Unlimited};

/// Sends a request again as long as the answer says that it may help.
///
/// Requests are copied for each attempt. Those that may not be sent twice are left out with
/// [`only`](Self::only).
pub struct RetryLayer<L = Unlimited, C = ByStatus, O = ()> {
    policy: Arc<RetryPolicy<L>>,
    classify: C,
    only: O,
}

impl<L> RetryLayer<L> {
    /// Retries by this policy.
    pub fn new(policy: impl Into<Arc<RetryPolicy<L>>>) -> Self {
        Self {
            policy: policy.into(),
            classify: ByStatus,
            only: (),
        }
    }
}

impl<L, C, O> RetryLayer<L, C, O> {
    /// One's own view of what an answer means.
    pub fn classify<N>(self, classify: N) -> RetryLayer<L, N, O> {
        RetryLayer {
            policy: self.policy,
            classify,
            only: self.only,
        }
    }

    /// Retries these requests only, such as `|request| request.method().is_idempotent()`.
    pub fn only<Request, N: Fn(&Request) -> bool>(self, only: N) -> RetryLayer<L, C, N> {
        RetryLayer {
            policy: self.policy,
            classify: self.classify,
            only,
        }
    }
}

impl<L, C: Clone, O: Clone> Clone for RetryLayer<L, C, O> {
    fn clone(&self) -> Self {
        Self {
            policy: Arc::clone(&self.policy),
            classify: self.classify.clone(),
            only: self.only.clone(),
        }
    }
}

impl<L, C, O> fmt::Debug for RetryLayer<L, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryLayer")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl<S, L, C: Clone, O: Clone> Layer<S> for RetryLayer<L, C, O> {
    type Service = RetryService<S, L, C, O>;

    fn layer(&self, service: S) -> Self::Service {
        RetryService {
            service,
            layer: self.clone(),
        }
    }
}

/// A service under a [`RetryLayer`].
pub struct RetryService<S, L = Unlimited, C = ByStatus, O = ()> {
    service: S,
    layer: RetryLayer<L, C, O>,
}

impl<S: Clone, L, C: Clone, O: Clone> Clone for RetryService<S, L, C, O> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S: fmt::Debug, L, C, O> fmt::Debug for RetryService<S, L, C, O> {
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

impl<S, L, C, O, Request> Service<Request> for RetryService<S, L, C, O>
where
    S: Service<Request, Error: Into<BoxError>, Future: Send> + Clone + Send + 'static,
    S::Response: Send,
    Request: Clone + Send + 'static,
    C: ClassifyAnswer<S::Response>,
    O: MayRepeat<Request>,
    L: 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<S::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let mut service = take_ready(&mut self.service);
        let (policy, classify) = (Arc::clone(&self.layer.policy), self.layer.classify.clone());
        let repeat = self.layer.only.may_repeat(&request);
        Box::pin(async move {
            let mut retry = policy.start();
            loop {
                let call = service.call(request.clone());
                let call = async { call.await.map_err(Into::into) };
                let answer = if policy.is_limited() {
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
                poll_fn(|context| service.poll_ready(context))
                    .await
                    .map_err(Into::into)?;
            }
        })
    }
}

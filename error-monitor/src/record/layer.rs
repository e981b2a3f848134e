//! The layer that counts requests.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::MatchedPath;
use axum::http::{Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use super::Requests;

/// In the extensions of a response: its request is not one of the service's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uncounted;

/// A tower layer that counts requests by route and class of answer: outermost, so that what the others answer
/// is counted too.
///
/// A service that panics or fails is counted as 500. A request whose client goes away before the answer is
/// not counted: nobody knows how it would have ended.
#[derive(Clone, Debug)]
pub struct CountRequests {
    requests: Requests,
}

impl CountRequests {
    pub(crate) const fn new(requests: Requests) -> Self {
        Self { requests }
    }
}

impl<S> Layer<S> for CountRequests {
    type Service = CountRequestsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CountRequestsService {
            inner,
            requests: self.requests.clone(),
        }
    }
}

/// The service of [`CountRequests`].
#[derive(Clone, Debug)]
pub struct CountRequestsService<S> {
    inner: S,
    requests: Requests,
}

impl<S, B, C> Service<Request<B>> for CountRequestsService<S>
where
    S: Service<Request<B>, Response = Response<C>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = CountRequestsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let route = request.extensions().get::<MatchedPath>().cloned();
        let requests = self.requests.clone();
        let mut pending = Some(Pending { requests, route });
        let inner = Panicking::watch(&mut pending, || self.inner.call(request));
        CountRequestsFuture { inner, pending }
    }
}

pin_project_lite::pin_project! {
    /// The future of [`CountRequestsService`].
    #[derive(Debug)]
    pub struct CountRequestsFuture<F> {
        #[pin]
        inner: F,
        pending: Option<Pending>,
    }
}

impl<F, C, E> Future for CountRequestsFuture<F>
where
    F: Future<Output = Result<Response<C>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let output = ready!(Panicking::watch(this.pending, || this.inner.poll(cx)));
        let status = match &output {
            Ok(response) if response.extensions().get::<Uncounted>().is_some() => None,
            Ok(response) => Some(response.status()),
            Err(_) => Some(StatusCode::INTERNAL_SERVER_ERROR),
        };
        if let (Some(pending), Some(status)) = (this.pending.take(), status) {
            pending.count(status);
        }
        Poll::Ready(output)
    }
}

/// A request that has no answer yet.
#[derive(Debug)]
struct Pending {
    requests: Requests,
    route: Option<MatchedPath>,
}

impl Pending {
    fn count(&self, status: StatusCode) {
        self.requests
            .count(self.route.as_ref().map_or("", MatchedPath::as_str), status);
    }
}

/// Counts a panic of the service, and tells it from one that merely drops its future.
struct Panicking<'a> {
    pending: &'a mut Option<Pending>,
    returned: bool,
}

impl<'a> Panicking<'a> {
    fn watch<T>(pending: &'a mut Option<Pending>, call: impl FnOnce() -> T) -> T {
        let mut watch = Self {
            pending,
            returned: false,
        };
        let result = call();
        watch.returned = true;
        result
    }
}

impl Drop for Panicking<'_> {
    fn drop(&mut self) {
        if !self.returned
            && let Some(pending) = self.pending.take()
        {
            pending.count(StatusCode::INTERNAL_SERVER_ERROR);
        }
    }
}

//! The edge as a tower layer: for axum, and for whatever else speaks `http` types.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Method, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::body::EdgeBody;
use super::builder::builder;
use super::future::EdgeFuture;
use super::node::Node;
use super::settings::{Finished, Plan};
use super::visit::Visit;
use crate::context::{self, Around, Head, Route, TraceParent, X_REQUEST_ID};
use crate::tower::BoxError;
use crate::{RequestContext, fault};

/// Makes every 4xx and 5xx of a service one shape, gives every request an id, and tells reporters of each
/// failure once. The HTTP edge for axum and for any tower service over `http` types.
///
/// ```
/// # #[cfg(feature = "axum")]
/// # fn service() -> axum::Router {
/// use axum::{Router, routing::get};
/// use error_runtime::ErrorLayer;
///
/// Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(ErrorLayer::new())
/// # }
/// ```
///
/// - **Declared errors** are rendered for the request: `Accept` chooses between the envelope, problem+json
///   and HTML.
/// - **The framework's own failures** (no route, wrong method, an extractor's rejection, a body that is too
///   large, a time-out) become the same, with their headers: responses of 4xx and 5xx that are empty and have
///   no `Content-Type`, or are `text/plain`. What the application has made itself is left alone.
/// - **Panics** become a 500; the message is for the log alone.
/// - **Every response** carries `X-Request-ID`: the request's own if it is one of 1–128 characters of
///   `[A-Za-z0-9._-]`, else a UUID v7. [`RequestContext`] has it, and all envelopes, logs and events.
/// - **Errors of the service** (a time-out, a full queue) become responses: it cannot fail itself.
///
/// Put it outermost, after all routes and the fallback, with `Router::layer`. On a nested router a further
/// one can have handlers ([`map`](Self::map)), pages and a format of its own; what it does not say, the outer
/// one does.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct ErrorLayer {
    plan: Plan,
}

builder!(ErrorLayer);

impl<S> Layer<S> for ErrorLayer {
    type Service = ErrorService<S>;

    fn layer(&self, inner: S) -> ErrorService<S> {
        ErrorService {
            inner,
            finished: self.plan.finished(),
            unready: None,
        }
    }
}

/// The service of [`ErrorLayer`].
#[derive(Debug)]
pub struct ErrorService<S> {
    inner: S,
    finished: Arc<Finished>,
    /// The service could not take a request: what the next answer says.
    unready: Option<BoxError>,
}

impl<S: Clone> Clone for ErrorService<S> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            finished: Arc::clone(&self.finished),
            unready: None,
        }
    }
}

impl<S, B, R> Service<Request<B>> for ErrorService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    type Response = Response<EdgeBody<R>>;
    type Error = Infallible;
    type Future = EdgeFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        let ready = catch_unwind(AssertUnwindSafe(|| self.inner.poll_ready(context)));
        // A service that cannot take a request says so in the answer to it.
        self.unready = match ready {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(()))) => None,
            Ok(Poll::Ready(Err(error))) => Some(error.into()),
            Err(panic) => {
                let text = format!("a service panicked: {}", fault::panic_text(&*panic));
                fault::discard(panic);
                Some(text.into())
            }
        };
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (visit, context) = self.visit(&mut request);
        let unready = self.unready.take();
        EdgeFuture::new(visit, context, || match unready {
            Some(error) => Err(error),
            None => Ok(self.inner.call(request)),
        })
    }
}

impl<S> ErrorService<S> {
    /// What this edge knows of a request.
    fn visit<B>(&self, request: &mut Request<B>) -> (Visit, RequestContext) {
        // A request that a handler makes in process belongs to the handler's.
        let around = request.extensions().get::<RequestContext>().cloned();
        let around = around.or_else(RequestContext::current);
        let around = around.filter(|around| around.edge().is_some());
        let is_outermost = around.is_none();
        let context = match around {
            Some(around) => {
                if around.route().is_none()
                    && let Some(route) = route(request)
                {
                    around.route_is(route);
                }
                around.behind(self.finished.edge(around.edge(), request.uri().path()))
            }
            None => {
                let edge = self.finished.edge(None, request.uri().path());
                self.context_of(request, edge)
            }
        };
        request.extensions_mut().insert(context.clone());
        let visit = Visit {
            is_head: request.method() == Method::HEAD,
            around: if is_outermost {
                Around::of(&context)
            } else {
                Around::none()
            },
            is_outermost,
        };
        (visit, context)
    }

    fn context_of<B>(&self, request: &Request<B>, edge: Arc<Node>) -> RequestContext {
        let headers = request.headers();
        let ids = headers.get_all(X_REQUEST_ID).iter();
        let id = self
            .finished
            .settings
            .ids
            .id(ids.map(HeaderValue::as_bytes));
        let trace = TraceParent::of(headers);
        let head = Head {
            tracestate: trace.and_then(|_| context::trace_state(headers)),
            trace,
            method: Some(request.method().clone()),
            accept: context::joined(headers, &ACCEPT),
            route: route(request),
        };
        RequestContext::of(id, head, Some(edge))
    }
}

/// The template of the route, where a router has found one already.
#[cfg(feature = "axum")]
fn route<B>(request: &Request<B>) -> Option<Route> {
    let path = request.extensions().get::<axum::extract::MatchedPath>()?;
    Some(Route::Axum(path.clone()))
}

#[cfg(not(feature = "axum"))]
fn route<B>(_: &Request<B>) -> Option<Route> {
    None
}

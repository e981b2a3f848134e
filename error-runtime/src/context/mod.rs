//! Which request is being answered: its ids go into every envelope, log line and event.

mod around;
mod ids;
mod scope;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue, Method};

pub(crate) use self::around::Around;
pub use self::ids::RequestIdPolicy;
pub(crate) use self::ids::{
    Id, TRACEPARENT, TRACESTATE, TraceParent, X_REQUEST_ID, joined, trace_state,
};
pub(crate) use self::scope::Entered;
pub use self::scope::Scoped;
#[cfg(feature = "tokio")]
pub use self::scope::spawn;
use crate::edge::Node;

/// The request that this code runs for: its ids, its route, its user.
///
/// `ErrorLayer` and `ErrorMiddleware` make one for every request; handlers find it with [`current`](Self::current) or as an extractor. A copy is cheap and stays
/// the same request. A task that is spawned has none of its own: give it one with
/// [`scope`](Self::scope) or [`spawn`](crate::spawn).
///
/// ```
/// use error_runtime::{RequestContext, RequestId};
/// let context = RequestContext::new(RequestId::new());
/// context.enter(|| {
///     // Every error rendered in here carries the id.
///     assert_eq!(RequestContext::current(), Some(context.clone()));
/// });
/// ```
#[derive(Clone)]
pub struct RequestContext {
    request: Arc<Request>,
    /// The innermost edge that this code is behind.
    edge: Option<Arc<Node>>,
}

struct Request {
    id: Id,
    trace: Option<Trace>,
    tracestate: Option<HeaderValue>,
    method: Option<Method>,
    accept: Option<HeaderValue>,
    route: OnceLock<Route>,
    user: Mutex<Option<Arc<str>>>,
    trail: Mutex<Trail>,
}

/// Of the distributed trace.
enum Trace {
    /// As it came in.
    Parent(TraceParent),
    /// An id that the application gave.
    Id(Box<str>),
}

/// The template of a route, in the router's own type where that saves a copy.
pub(crate) enum Route {
    Text(Cow<'static, str>),
    #[cfg(feature = "axum")]
    Axum(axum::extract::MatchedPath),
}

impl Route {
    fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            #[cfg(feature = "axum")]
            Self::Axum(path) => path.as_str(),
        }
    }
}

/// The last policies that gave up a call for this request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail {
    pub(crate) service: Option<LastPolicy>,
    pub(crate) operation: Option<LastPolicy>,
}

#[derive(Clone, Debug)]
pub(crate) struct LastPolicy {
    pub(crate) name: Box<str>,
    /// Of the error that it gave up with.
    pub(crate) code: Option<&'static str>,
    pub(crate) attempts: u32,
}

/// What the edge has read from a request's head.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) trace: Option<TraceParent>,
    pub(crate) tracestate: Option<HeaderValue>,
    pub(crate) method: Option<Method>,
    pub(crate) accept: Option<HeaderValue>,
    pub(crate) route: Option<Route>,
}

impl RequestContext {
    /// A context with a request id and nothing else.
    pub fn new(request_id: impl Into<String>) -> Self {
        Self::of(Id::from(request_id.into()), Head::default(), None)
    }

    pub(crate) fn of(id: Id, head: Head, edge: Option<Arc<Node>>) -> Self {
        let Head {
            trace,
            tracestate,
            method,
            accept,
            route,
        } = head;
        Self {
            request: Arc::new(Request {
                id,
                trace: trace.map(Trace::Parent),
                tracestate,
                method,
                accept,
                route: route.map_or_else(OnceLock::new, OnceLock::from),
                user: Mutex::new(None),
                trail: Mutex::default(),
            }),
            edge,
        }
    }

    /// The same request, behind a further edge.
    pub(crate) fn behind(&self, edge: Arc<Node>) -> Self {
        Self {
            request: Arc::clone(&self.request),
            edge: Some(edge),
        }
    }

    pub(crate) fn edge(&self) -> Option<&Arc<Node>> {
        self.edge.as_ref()
    }

    /// A request of its own with the same ids and this trace id.
    #[must_use]
    pub fn with_trace_id(&self, trace_id: impl Into<String>) -> Self {
        let request = &*self.request;
        let copy = Self::of(
            request.id.clone(),
            Head {
                method: request.method.clone(),
                accept: request.accept.clone(),
                route: self
                    .route()
                    .map(|route| Route::Text(route.to_owned().into())),
                ..Head::default()
            },
            self.edge.clone(),
        );
        copy.with_trace(Trace::Id(trace_id.into().into_boxed_str()))
    }

    fn with_trace(mut self, trace: Trace) -> Self {
        if let Some(request) = Arc::get_mut(&mut self.request) {
            request.trace = Some(trace);
        }
        self
    }

    /// The request's id.
    pub fn request_id(&self) -> &str {
        self.request.id.as_str()
    }

    /// The id of the distributed trace, where known.
    pub fn trace_id(&self) -> Option<&str> {
        match self.request.trace.as_ref()? {
            Trace::Parent(parent) => Some(parent.trace_id()),
            Trace::Id(id) => Some(id),
        }
    }

    /// The request's method, where known.
    pub fn method(&self) -> Option<&Method> {
        self.request.method.as_ref()
    }

    /// The template of the route, such as `/meetings/{id}`, where known: never the path itself, which may
    /// hold anything and has no end of values.
    pub fn route(&self) -> Option<&str> {
        self.request.route.get().map(Route::as_str)
    }

    /// Names the route, where no router has. A route that is known stays.
    pub fn set_route(&self, route: impl Into<Cow<'static, str>>) {
        self.route_is(Route::Text(route.into()));
    }

    pub(crate) fn route_is(&self, route: Route) {
        let _ = self.request.route.set(route);
    }

    /// The id of the user that the application has named.
    pub fn user(&self) -> Option<Arc<str>> {
        lock(&self.request.user).clone()
    }

    /// Names the user, for logs and events; call it where the caller is known, once it is signed in. The
    /// last name holds.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "`set_user(user.id)` and `set_user(&name)` both read well"
    )]
    pub fn set_user(&self, id: impl ToString) {
        *lock(&self.request.user) = Some(id.to_string().into());
    }

    pub(crate) fn accept(&self) -> Option<&HeaderValue> {
        self.request.accept.as_ref()
    }

    pub(crate) fn trail(&self) -> Trail {
        lock(&self.request.trail).clone()
    }

    pub(crate) fn leave_trail(&self, leave: impl FnOnce(&mut Trail)) {
        leave(&mut lock(&self.request.trail));
    }

    /// Adds what a further service should know of this request to the headers of a call: the request's id
    /// as `x-request-id`, and where a valid `traceparent` came in a new one, with a span id of its own for every
    /// call, and `tracestate`.
    ///
    /// ```
    /// use error_runtime::{HeaderMap, RequestContext};
    /// let mut headers = HeaderMap::new();
    /// RequestContext::new("018f").propagate(&mut headers);
    /// assert_eq!(headers["x-request-id"], "018f");
    /// ```
    pub fn propagate(&self, headers: &mut HeaderMap) {
        let mut add = |name: HeaderName, value: Result<HeaderValue, _>| {
            if let Ok(value) = value {
                headers.insert(name, value);
            }
        };
        add(X_REQUEST_ID, HeaderValue::from_str(self.request_id()));
        if let Some(Trace::Parent(parent)) = &self.request.trace {
            add(TRACEPARENT, HeaderValue::from_str(&parent.of_a_call()));
            if let Some(state) = &self.request.tracestate {
                add(TRACESTATE, Ok(state.clone()));
            }
        }
    }
}

/// What it guards is whole after a panic too: it is replaced at once or not at all.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same ids.
impl PartialEq for RequestContext {
    fn eq(&self, other: &Self) -> bool {
        self.request_id() == other.request_id() && self.trace_id() == other.trace_id()
    }
}

impl Eq for RequestContext {}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext")
            .field("request_id", &self.request_id())
            .field("trace_id", &self.trace_id())
            .field("method", &self.method())
            .field("route", &self.route())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl<S: Sync> axum::extract::OptionalFromRequestParts<S> for RequestContext {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut http::request::Parts,
        _: &S,
    ) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts
            .extensions
            .get::<Self>()
            .cloned()
            .or_else(Self::current))
    }
}

/// Without an `ErrorLayer` around, a context with a fresh id.
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl<S: Sync> axum::extract::FromRequestParts<S> for RequestContext {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut http::request::Parts,
        _: &S,
    ) -> Result<Self, Self::Rejection> {
        let known = parts
            .extensions
            .get::<Self>()
            .cloned()
            .or_else(Self::current);
        Ok(known.unwrap_or_else(|| Self::new(crate::RequestId::new())))
    }
}

/// Without an `ErrorMiddleware` around, a context with a fresh id.
#[cfg(feature = "actix")]
#[cfg_attr(docsrs, doc(cfg(feature = "actix")))]
impl actix_web::FromRequest for RequestContext {
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(
        request: &actix_web::HttpRequest,
        _: &mut actix_web::dev::Payload,
    ) -> Self::Future {
        use actix_web::HttpMessage as _;
        let known = request.extensions().get::<Self>().cloned();
        let known = known.or_else(Self::current);
        std::future::ready(Ok(
            known.unwrap_or_else(|| Self::new(crate::RequestId::new()))
        ))
    }
}

//! The edge as a middleware of actix-web 4.

use std::error::Error;
use std::future::{Ready, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpMessage as _, HttpResponse};
use bytes::Bytes;
use http::HeaderMap;

use super::answer::{self, Answer, Record, answer_at};
use super::builder::builder;
use super::map::Subject;
use super::node::Node;
use super::settings::{Finished, Plan};
use super::stand_in::{Framework, Panicked};
use super::watch::{IsWatched, Watch};
use crate::adapter::actix::{append_all, convert_status, convert_value};
use crate::context::{self, Around, Head, Route, TraceParent};
use crate::report::shown;
use crate::{Origin, RequestContext, fault};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// [`ErrorLayer`](crate::ErrorLayer) for actix-web 4: the same builder, the same answers.
///
/// ```
/// use actix_web::{App, web};
/// use error_runtime::ErrorMiddleware;
///
/// let app = App::new()
///     .wrap(ErrorMiddleware::new())
///     .route("/", web::get().to(|| async { "hello" }));
/// ```
///
/// Wrap the `App` with it, and a `web::scope` with a further one that has handlers
/// ([`map`](Self::map)), pages or a format of its own. Make it outside of the closure that `HttpServer`
/// takes and clone it there, so that all workers share its reporters.
#[derive(Clone, Debug)]
#[must_use = "a middleware does nothing until an app is wrapped with it"]
pub struct ErrorMiddleware {
    plan: Plan,
}

builder!(ErrorMiddleware);

impl<S, B> Transform<S, ServiceRequest> for ErrorMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = actix_web::Error;
    type InitError = ();
    type Transform = ErrorMiddlewareService<S>;
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(ErrorMiddlewareService {
            inner: Rc::new(inner),
            finished: self.plan.finished(),
        }))
    }
}

/// The service of [`ErrorMiddleware`].
#[derive(Debug)]
pub struct ErrorMiddlewareService<S> {
    inner: Rc<S>,
    finished: Arc<Finished>,
}

impl<S, B> Service<ServiceRequest> for ErrorMiddlewareService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let visit = self.visit(&request);
        let inner = Rc::clone(&self.inner);
        Box::pin(async move {
            // Within the scope: a service may answer before it is polled.
            let call = async { inner.call(request).await };
            let result = Guarded {
                // The span and the hub are around this one.
                future: visit.context.scope_in(Around::none(), call),
                around: &visit.around,
            };
            let result = result.await;
            visit.around.run(|| visit.respond_safely(result))
        })
    }
}

impl<S> ErrorMiddlewareService<S> {
    fn visit(&self, request: &ServiceRequest) -> Visit {
        let known = request.extensions().get::<RequestContext>().cloned();
        let known = known.filter(|known| known.edge().is_some());
        let is_outermost = known.is_none();
        let around = known.as_ref().and_then(RequestContext::edge);
        let edge = self.finished.edge(around, request.path());
        let context = match known {
            Some(known) => known.behind(edge),
            None => self.context_of(request, edge),
        };
        request.extensions_mut().insert(context.clone());
        Visit {
            around: if is_outermost {
                Around::of(&context)
            } else {
                Around::none()
            },
            is_outermost,
            context,
        }
    }

    fn context_of(&self, request: &ServiceRequest, edge: Arc<Node>) -> RequestContext {
        let headers = request.headers();
        let id = self
            .finished
            .settings
            .ids
            .id(headers.get_all(X_REQUEST_ID).map(HeaderValue::as_bytes));
        // In the types of the newer `http`, which reads them.
        let mut read = HeaderMap::new();
        for name in [
            context::TRACEPARENT,
            context::TRACESTATE,
            http::header::ACCEPT,
        ] {
            for value in headers.get_all(name.as_str()) {
                if let Ok(value) = http::HeaderValue::from_bytes(value.as_bytes()) {
                    read.append(name.clone(), value);
                }
            }
        }
        let trace = TraceParent::of(&read);
        let head = Head {
            tracestate: trace.and_then(|_| context::trace_state(&read)),
            trace,
            method: http::Method::from_bytes(request.method().as_str().as_bytes()).ok(),
            accept: context::joined(&read, &http::header::ACCEPT),
            route: request
                .match_pattern()
                .map(|route| Route::Text(route.into())),
        };
        RequestContext::of(id, head, Some(edge))
    }
}

pin_project_lite::pin_project! {
    /// Catches the panics of a service.
    struct Guarded<'a, F> {
        #[pin]
        future: F,
        around: &'a Around,
    }
}

impl<F: Future> Future for Guarded<'_, F> {
    /// With the message of a panic as the error.
    type Output = Result<F::Output, String>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = this
            .around
            .run(|| catch_unwind(AssertUnwindSafe(|| this.future.poll(context))));
        match polled {
            Ok(poll) => poll.map(Ok),
            Err(panic) => {
                let text = fault::panic_text(&*panic).to_owned();
                fault::discard(panic);
                Poll::Ready(Err(text))
            }
        }
    }
}

/// One request at one edge.
struct Visit {
    context: RequestContext,
    is_outermost: bool,
    around: Around,
}

type Outcome<B> = Result<ServiceResponse<EitherBody<B>>, actix_web::Error>;

impl Visit {
    fn edge(&self) -> &Arc<Node> {
        let edge = self.context.edge();
        edge.expect("the context of a visit is behind its edge")
    }

    /// Whatever code of the application's runs for the response may panic: then that is the failure.
    fn respond_safely<B: MessageBody + 'static>(
        &self,
        result: Result<Result<ServiceResponse<B>, actix_web::Error>, String>,
    ) -> Outcome<B> {
        let mut result = Some(result);
        for _ in 0..2 {
            // Handlers and reporters run in the request too.
            let respond = || self.context.enter(|| Some(self.respond(result.take()?)));
            match catch_unwind(AssertUnwindSafe(respond)) {
                Ok(Some(outcome)) => return outcome,
                Ok(None) => break,
                Err(panic) => {
                    result = Some(Err(fault::panic_text(&*panic).to_owned()));
                    fault::discard(panic);
                }
            }
        }
        // The answer to a panic has panicked.
        let mut response = HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR);
        if let Ok(id) = HeaderValue::from_str(self.context.request_id()) {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        Err(InternalError::from_response("a panic", response).into())
    }

    fn respond<B: MessageBody + 'static>(
        &self,
        result: Result<Result<ServiceResponse<B>, actix_web::Error>, String>,
    ) -> Outcome<B> {
        match result {
            Ok(Ok(response)) => {
                let (request, response) = response.into_parts();
                let response = self.settled(response);
                Ok(ServiceResponse::new(request, response))
            }
            // A middleware further in has failed. There is no request to make a response for, so the answer
            // goes on as an error that becomes just this response.
            Ok(Err(error)) => {
                let response = error.as_response_error().error_response();
                let response = self.settled(response).map_into_boxed_body();
                Err(InternalError::from_response(error, response).into())
            }
            Err(panic) => {
                let error = Panicked(panic);
                let subject = Subject {
                    error: &error,
                    typed: Some(&error),
                };
                let mut response = HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR);
                self.answer(subject, Origin::Panic, &mut response);
                self.leave(&mut response);
                Err(InternalError::from_response(error, response).into())
            }
        }
    }

    fn settled<B: MessageBody + 'static>(
        &self,
        response: HttpResponse<B>,
    ) -> HttpResponse<EitherBody<B>> {
        let mut response = if is_failure(response.status())
            && response.extensions().get::<Record>().is_none()
            && is_frameworks(&response)
        {
            self.replaced(response).map_into_right_body()
        } else {
            self.watched(response)
        };
        self.leave(&mut response);
        response
    }

    /// The answer in place of a response of the framework's.
    fn replaced<B: MessageBody>(&self, response: HttpResponse<B>) -> HttpResponse {
        let status = http::StatusCode::from_u16(response.status().as_u16());
        let cause = response.error().map(shown);
        let (mut response, body) = response.into_parts();
        let text = body.try_into_bytes().ok().and_then(text_of);
        let status = status.unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        for gone in answer::gone_with_a_body(status) {
            response.headers_mut().remove(gone);
        }
        // It may be that of another server.
        response.head_mut().reason = None;
        let error = Framework {
            status,
            text: text.or(cause),
            sends_text: self.edge().sends_framework_text(),
        };
        let subject = Subject {
            error: &error,
            typed: None,
        };
        let mut response = response.set_body(BoxBody::new(()));
        self.answer(subject, Origin::Framework, &mut response);
        response
    }

    fn answer(&self, subject: Subject<'_>, origin: Origin, response: &mut HttpResponse) {
        let mut of_answer = HeaderMap::new();
        let Answer {
            status,
            body,
            content_type,
            record,
            is_mapped,
        } = answer_at(self.edge(), subject, origin, &self.context, &mut of_answer);
        *response.status_mut() = convert_status(status);
        // Those that both may have are merged in the types of the newer `http`.
        let out = response.headers_mut();
        let shared = [
            http::header::VARY,
            http::header::CACHE_CONTROL,
            http::header::WWW_AUTHENTICATE,
        ];
        let mut headers = HeaderMap::new();
        for name in shared {
            for value in out.get_all(name.as_str()) {
                if let Ok(value) = http::HeaderValue::from_bytes(value.as_bytes()) {
                    headers.append(name.clone(), value);
                }
            }
        }
        answer::merge(&mut headers, &of_answer, is_mapped);
        for name in headers.keys() {
            out.remove(name.as_str());
        }
        append_all(&headers, out);
        if let Some(content_type) = convert_value(&content_type) {
            out.insert(header::CONTENT_TYPE, content_type);
        }
        let body = BoxBody::new(body);
        let blank = std::mem::replace(response, HttpResponse::new(StatusCode::OK));
        *response = blank.set_body(body);
        response.extensions_mut().insert(record);
    }

    /// A stream goes on in its request, and is watched to its end by the innermost edge; so is a large body,
    /// as behind the layer of tower.
    fn watched<B: MessageBody + 'static>(
        &self,
        mut response: HttpResponse<B>,
    ) -> HttpResponse<EitherBody<B>> {
        const SMALL: u64 = 16 * 1024;
        let is_stream = match response.body().size() {
            BodySize::Stream => true,
            BodySize::Sized(size) => size > SMALL,
            BodySize::None => false,
        };
        if !is_stream || response.extensions().get::<IsWatched>().is_some() {
            return response.map_into_left_body();
        }
        response.extensions_mut().insert(IsWatched);
        let is_told = is_failure(response.status());
        let edge = Arc::clone(self.edge());
        let watch = Watch::new(edge, self.context.clone(), Around::current(), is_told);
        response.map_body(|_, body| EitherBody::right(BoxBody::new(Watched { body, watch })))
    }

    /// The way out: the record of a failure, its report by the last edge, and the id.
    fn leave<B>(&self, response: &mut HttpResponse<B>) {
        if is_failure(response.status()) {
            let status = http::StatusCode::from_u16(response.status().as_u16());
            let status = status.unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
            let record = response.extensions_mut().remove::<Record>();
            let record =
                record.unwrap_or_else(|| answer::by_hand(self.edge(), status, &self.context));
            let (record, is_kept) = if self.is_outermost {
                record.report(status, &self.context)
            } else {
                (record, true)
            };
            if is_kept {
                response.extensions_mut().insert(record);
            }
        }
        if self.is_outermost
            && let Ok(id) = HeaderValue::from_str(self.context.request_id())
        {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
    }
}

fn is_failure(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

/// Whether a failure was made by the framework or a middleware: it says nothing, or only a text.
fn is_frameworks<B: MessageBody>(response: &HttpResponse<B>) -> bool {
    match response.headers().get(header::CONTENT_TYPE) {
        None => matches!(response.body().size(), BodySize::None | BodySize::Sized(0)),
        Some(content_type) => answer::is_plain_text(content_type.as_bytes()),
    }
}

/// A text that is short enough to be sent on.
fn text_of(bytes: Bytes) -> Option<String> {
    let text = String::from_utf8(bytes.into()).ok()?;
    (1..=answer::MAX_FRAMEWORK_TEXT)
        .contains(&text.len())
        .then_some(text)
}

pin_project_lite::pin_project! {
    /// A body of which it is told when it breaks off.
    struct Watched<B> {
        #[pin]
        body: B,
        watch: Watch,
    }
}

impl<B: MessageBody> MessageBody for Watched<B> {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.project();
        let body = this.body;
        let polled = this.watch.poll(|| {
            // actix's errors stay on their thread.
            let next = body.poll_next(context);
            next.map(|next| next.map(|part| part.map_err(|error| shown(&*error.into()))))
        });
        polled.map(|next| next.map(|part| part.map_err(|error| -> Box<dyn Error> { error })))
    }
}

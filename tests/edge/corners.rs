//! Corners of the edge that no table shows: code of the application's that panics where the edge asks it,
//! requests within requests, streams, and what a replaced response leaves behind.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::get;
use axum::{Json, Router};
use error_runtime::format::{ErrorView, HtmlPage};
use error_runtime::{
    AnyError, ApiError, Delivery, ErrorEvent, ErrorLayer, ErrorSpec, Level, Origin, Reporter,
    RequestContext,
};
use serde_json::Value;
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<ErrorEvent>>>);

impl Told {
    fn take(&self) -> Vec<ErrorEvent> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn codes(&self) -> Vec<String> {
        self.take()
            .into_iter()
            .map(|event| event.code.into_owned())
            .collect()
    }
}

impl Reporter for Told {
    fn report(&self, event: &ErrorEvent) {
        self.0.lock().unwrap().push(event.clone());
    }

    fn delivery(&self) -> Delivery {
        Delivery::Inline
    }
}

async fn send(app: &Router, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await;
    (
        head.status,
        head.headers,
        body.map(Vec::from).unwrap_or_default(),
    )
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

/// Panics at one of the questions that it is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Asked {
    Code,
    Status,
    Level,
    Category,
    Source,
    Headers,
}

impl Asked {
    fn at(self, question: Self) {
        assert!(self != question, "hunter2");
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shown")
    }
}

impl Error for Asked {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.at(Self::Source);
        None
    }
}

impl ApiError for Asked {
    fn spec(&self) -> &'static ErrorSpec {
        static SPEC: ErrorSpec = ErrorSpec::new("shop", "ASKED", StatusCode::CONFLICT);
        &SPEC
    }

    fn code(&self) -> &str {
        self.at(Self::Code);
        self.spec().code
    }

    fn status(&self) -> StatusCode {
        self.at(Self::Status);
        StatusCode::CONFLICT
    }

    fn level(&self) -> Level {
        self.at(Self::Level);
        Level::Warn
    }

    fn category(&self) -> &'static str {
        self.at(Self::Category);
        "app"
    }

    fn headers(&self, _: &mut HeaderMap) {
        self.at(Self::Headers);
    }
}

#[tokio::test]
async fn an_error_that_panics_when_it_is_asked_is_answered_and_told_once() {
    for asked in [
        Asked::Code,
        Asked::Status,
        Asked::Level,
        Asked::Category,
        Asked::Source,
        Asked::Headers,
    ] {
        let told = Told::default();
        let layer = ErrorLayer::new().reporter(told.clone());
        let app = Router::new()
            .route(
                "/declared",
                get(move || async move { AnyError::from(asked).into_response() }),
            )
            .layer(layer.map_view(move |view| (view.code() == "NOT_FOUND").then_some(asked)));
        for path in ["/declared", "/nowhere"] {
            let (status, headers, body) = send(&app, path).await;
            assert!(status.as_u16() >= 400, "{asked:?} at {path}: {status}");
            let id = headers["x-request-id"].to_str().unwrap();
            assert_eq!(
                json(&body)["error"]["request_id"],
                id,
                "{asked:?} at {path}"
            );
            assert!(!String::from_utf8_lossy(&body).contains("hunter2"));
            assert_eq!(told.take().len(), 1, "{asked:?} at {path}");
        }
    }
}

/// A body that does something else than to come.
struct Odd {
    panics: bool,
    is_seen: Arc<Mutex<Option<String>>>,
}

impl http_body::Body for Odd {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        let id = RequestContext::current().map(|context| context.request_id().to_owned());
        *self.is_seen.lock().unwrap() = id;
        assert!(!self.panics, "hunter2");
        Poll::Ready(Some(Err(std::io::Error::other("gone"))))
    }
}

#[tokio::test]
async fn a_stream_belongs_to_its_request_and_breaks_off_once() {
    for (status, panics, expected) in [
        (200, false, vec![Origin::Stream]),
        (200, true, vec![Origin::Stream]),
        // Told as what it is: the client has seen the status.
        (502, false, vec![Origin::Response]),
    ] {
        let (inner, outer) = (Told::default(), Told::default());
        let seen = Arc::new(Mutex::new(None));
        let is_seen = Arc::clone(&seen);
        let stream = get(move || {
            let body = Odd { panics, is_seen };
            async move {
                Response::builder()
                    .status(status)
                    .header("content-type", "text/csv")
                    .body(Body::new(body))
                    .unwrap()
            }
        });
        let app = Router::new()
            .route("/stream", stream)
            .layer(ErrorLayer::new().reporter(inner.clone()))
            .layer(ErrorLayer::new().reporter(outer.clone()));
        let (_, headers, _) = send(&app, "/stream").await;
        let id = headers["x-request-id"].to_str().unwrap();
        assert_eq!(seen.lock().unwrap().as_deref(), Some(id));
        for told in [inner, outer] {
            let origins: Vec<_> = told.take().iter().map(|event| event.origin).collect();
            assert_eq!(origins, expected, "{status}, panics: {panics}");
        }
    }
}

#[tokio::test]
async fn reporters_of_inner_edges_are_told_of_what_was_made_by_hand() {
    let (inner, outer) = (Told::default(), Told::default());
    let made = || async { (StatusCode::BAD_REQUEST, Json(7)) };
    let app = Router::new()
        .route("/made", get(made))
        .layer(ErrorLayer::new().reporter(inner.clone()))
        .layer(ErrorLayer::new().reporter(outer.clone()));
    send(&app, "/made").await;
    assert_eq!(
        (inner.codes(), outer.codes()),
        (vec!["BAD_REQUEST".into()], vec!["BAD_REQUEST".into()])
    );
}

#[tokio::test]
async fn a_request_within_a_request_is_part_of_it() {
    // One reporter on both, so by one `Arc`.
    let told = Arc::new(Told::default());
    let inside = Router::new().layer(ErrorLayer::new().reporter(Arc::clone(&told)));
    let handler = get(move || async move {
        let request = Request::get("/nowhere").body(Body::empty()).unwrap();
        inside.oneshot(request).await.unwrap()
    });
    let app = Router::new()
        .route("/proxy", handler)
        .layer(ErrorLayer::new().reporter(Arc::clone(&told)));
    let (_, headers, body) = send(&app, "/proxy").await;
    let id = headers["x-request-id"].to_str().unwrap();
    assert_eq!(json(&body)["error"]["request_id"], id);
    assert_eq!(told.codes(), ["NOT_FOUND"]);
}

#[tokio::test]
async fn what_a_handler_renders_itself_is_not_handled_again() {
    let render = |_: &ErrorView<'_>| {
        let response = AnyError::forbidden().into_response();
        (response.status() == 403).then(AnyError::unavailable)
    };
    let page = |_: &ErrorView<'_>| AnyError::forbidden().into_response().status().to_string();
    let app = Router::new().layer(
        ErrorLayer::new()
            .map_view(render)
            .page_for_status(503, page),
    );
    assert_eq!(send(&app, "/nowhere").await.0, 503);
    let request = Request::get("/nowhere").header("accept", "text/html");
    let response = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let body = axum::body::to_bytes(response.into_body(), 1000)
        .await
        .unwrap();
    assert_eq!(body, "403 Forbidden");
}

/// A format of pages has its own, then those of its layer, then those of the layers around; whatever is asked for.
#[tokio::test]
async fn a_format_of_pages_has_those_of_the_layers_too() {
    let page = |text: &'static str| move |_: &ErrorView<'_>| text.to_owned();
    let app = Router::new()
        .route("/own", get(|| async { AnyError::forbidden() }))
        .route("/layer", get(|| async { AnyError::not_found("page") }))
        .route("/around", get(|| async { AnyError::unavailable() }))
        .layer(
            ErrorLayer::new()
                .format(HtmlPage::new().page_for_status(403, page("own")))
                .page_for_status(403, page("of the layer"))
                .page_for_status(404, page("of the layer")),
        )
        .layer(
            ErrorLayer::new()
                .page_for_status(404, page("of the layer around"))
                .page_for_status(503, page("of the layer around")),
        );
    for (path, body) in [
        ("/own", "own"),
        ("/layer", "of the layer"),
        ("/around", "of the layer around"),
    ] {
        assert_eq!(send(&app, path).await.2, body.as_bytes(), "{path}");
    }
}

/// With two headers of one name.
#[derive(Debug, ApiError)]
#[api(status = 404, header("Link" = "</a>"), header("Link" = "</b>"))]
struct Linked;

/// What another server has said of its own answer.
#[derive(Clone)]
struct Phrase;

#[tokio::test]
async fn nothing_of_a_replaced_response_stays_but_its_headers() {
    let gone = get(|| async {
        let mut response = (StatusCode::NOT_FOUND, "hunter2").into_response();
        let headers = response.headers_mut();
        headers.insert(
            "content-disposition",
            HeaderValue::from_static("attachment"),
        );
        headers.insert("x-kept", HeaderValue::from_static("yes"));
        response.extensions_mut().insert(Phrase);
        response
    });
    let seen = Arc::new(Mutex::new(None));
    let in_map = Arc::clone(&seen);
    let layer = ErrorLayer::new().map_view(move |_| {
        *in_map.lock().unwrap() = RequestContext::current();
        Linked
    });
    let app = Router::new().route("/gone", gone).layer(layer);
    let request = Request::get("/gone").body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert!(response.extensions().get::<Phrase>().is_none());
    assert!(!response.headers().contains_key("content-disposition"));
    assert_eq!(response.headers()["x-kept"], "yes");
    assert_eq!(response.headers().get_all("link").iter().count(), 2);
    let context = seen
        .lock()
        .unwrap()
        .take()
        .expect("handlers run in the request");
    assert_eq!(response.headers()["x-request-id"], context.request_id());
}

#[tokio::test]
async fn a_service_that_panics_when_it_is_asked_answers() {
    #[derive(Clone)]
    struct Unready;

    impl Service<Request<Body>> for Unready {
        type Response = Response<Body>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            panic!("hunter2")
        }

        fn call(&mut self, _: Request<Body>) -> Self::Future {
            panic!("not called")
        }
    }

    let request = || Request::new(Body::empty());
    let Ok(response) = ErrorLayer::new().layer(Unready).oneshot(request()).await;
    assert_eq!(response.status(), 500);
    // A text that is not there when it is asked for.
    let odd = service_fn(async |_: Request<Body>| {
        let body = Odd {
            panics: true,
            is_seen: Arc::default(),
        };
        let body = http_body_util::BodyExt::boxed(SizedBody(body));
        let response = Response::builder()
            .status(500)
            .header("content-type", "text/plain");
        Ok::<_, Infallible>(response.body(body).unwrap())
    });
    let Ok(response) = ErrorLayer::new().layer(odd).oneshot(request()).await;
    assert_eq!(response.status(), 500);
    assert!(response.headers().contains_key("x-request-id"));
}

/// Says that it is short.
struct SizedBody(Odd);

impl http_body::Body for SizedBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(3)
    }
}

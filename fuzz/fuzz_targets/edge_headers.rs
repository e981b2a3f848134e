//! Any `Accept`, `X-Request-ID` and `traceparent`, one line of the input for each header: a request is
//! answered with its declared status, a valid id, and nothing internal.

#![no_main]

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use error_runtime::{ApiError, ErrorLayer};
use http::{HeaderName, HeaderValue, Request};
use libfuzzer_sys::{Corpus, fuzz_target};
use tower::{Layer as _, Service as _, service_fn};

/// What must not be seen outside.
const SECRET: &str = "hunter2";

#[derive(Debug, ApiError)]
#[api(status = 500, display = "the password is hunter2")]
struct Broken;

fuzz_target!(|input: &[u8]| -> Corpus {
    let names = ["accept", "x-request-id", "traceparent"];
    let mut request = Request::new(Body::empty());
    for (at, line) in input.split(|byte| *byte == b'\n').enumerate() {
        // What a header cannot hold no server hands on.
        let Ok(value) = HeaderValue::from_bytes(line) else {
            return Corpus::Reject;
        };
        let name = HeaderName::from_static(names[at % names.len()]);
        request.headers_mut().append(name, value);
    }
    let given = request.headers().get("x-request-id").cloned();
    let is_alone = request.headers().get_all("x-request-id").iter().count() == 1;

    let response = answer(request);
    assert_eq!(response.status(), 500);
    let id = response.headers()["x-request-id"].as_bytes();
    let is_valid = |id: &[u8]| {
        (1..=128).contains(&id.len())
            && id
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
    };
    assert!(is_valid(id));
    let kept = given.filter(|given| is_alone && is_valid(given.as_bytes()));
    match kept {
        Some(kept) => assert_eq!(id, kept.as_bytes()),
        None => assert_eq!(id.len(), 36),
    }
    let content_type = response.headers()["content-type"].clone();
    let body = text(response.into_body());
    // What a client sends itself comes back in its id.
    let is_known = input.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
    assert!(is_known || !body.contains(SECRET));
    if content_type == "text/html; charset=utf-8" {
        assert!(body.starts_with("<!doctype html>"));
    } else {
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let error = if content_type == "application/json" {
            &body["error"]
        } else {
            assert_eq!(content_type, "application/problem+json");
            &body
        };
        assert_eq!(error["status"], 500);
        if let Some(trace) = error.get("trace_id") {
            assert_eq!(trace.as_str().map(str::len), Some(32));
        }
    }
    Corpus::Keep
});

fn answer(request: Request<Body>) -> Response {
    let handler = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Broken.into_response()));
    let mut service = ErrorLayer::new().layer(handler);
    let Ok(response) = ready(service.call(request));
    response.map(Body::new)
}

fn text(body: Body) -> String {
    let bytes = ready(axum::body::to_bytes(body, usize::MAX)).expect("a body of our own");
    String::from_utf8(bytes.into()).expect("every format is UTF-8")
}

/// A future that waits for nothing.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

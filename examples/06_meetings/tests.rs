//! Tests of the service as its authors would write them: on the router itself, without a socket.

use std::io;
use std::ops::DerefMut;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::app::app;
use crate::arguments::Arguments;
use crate::meetings::Services;
use crate::meetings::calendar::Calendar;
use crate::meetings::store::{Book, Outage, Store};
use crate::steps::{STEPS, Step};

fn request(method: &str, path: &str, body: &Value) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", "Bearer ada-token")
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

fn of_step(step: &Step) -> Request<Body> {
    let mut request = Request::builder().method(step.method).uri(step.path);
    if let Some(token) = step.token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    for (name, value) in step.headers {
        request = request.header(*name, *value);
    }
    let body = step.body.map_or_else(Body::empty, Body::from);
    let json = step.body.map(|_| ("content-type", "application/json"));
    let request = json.into_iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    });
    request.body(body).unwrap()
}

async fn send(app: &Router, request: Request<Body>) -> Response<Body> {
    app.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

async fn json_of(response: Response<Body>) -> Value {
    serde_json::from_str(&text(response).await).unwrap()
}

fn planning() -> Value {
    json!({
        "title": "Planning",
        "room": "attic",
        "start_time": "2027-03-01T09:00:00Z",
        "end_time": "2027-03-01T10:00:00Z",
    })
}

#[tokio::test]
async fn every_step_is_answered_as_the_list_says() {
    let app = app(Services::in_memory());
    for step in STEPS {
        let response = send(&app, of_step(step)).await;
        assert!(response.headers().contains_key("x-request-id"));
        assert_eq!(response.status(), step.status, "{}", step.about);
        let body = text(response).await;
        assert!(body.contains(step.says), "{}: {body}", step.about);
    }
}

#[tokio::test]
async fn a_conflict_says_with_which_meeting() {
    let app = app(Services::in_memory());
    let first = send(&app, request("POST", "/meetings", &planning())).await;
    assert_eq!(json_of(first).await["id"], 1);

    let second = send(&app, request("POST", "/meetings", &planning())).await;
    assert_eq!(second.status(), 409);
    let error = &json_of(second).await["error"];
    assert_eq!(error["code"], "MEETING_CONFLICT");
    assert_eq!(error["details"]["conflicting_meetings"], json!([1]));
    assert_eq!(error["recoverable"], false);
}

/// The end of one is the start of the next.
#[tokio::test]
async fn meetings_that_touch_do_not_conflict() {
    let app = app(Services::in_memory());
    send(&app, request("POST", "/meetings", &planning())).await;
    let mut next = planning();
    next["start_time"] = json!("2027-03-01T10:00:00Z");
    next["end_time"] = json!("2027-03-01T11:00:00Z");
    let next = send(&app, request("POST", "/meetings", &next)).await;
    assert_eq!(next.status(), 200);
}

#[tokio::test]
async fn an_input_is_told_all_its_mistakes() {
    let app = app(Services::in_memory());
    let mut wrong = planning();
    wrong["room"] = json!("cellar");
    wrong["end_time"] = json!("2027-03-01T09:00:00Z");
    let response = send(&app, request("POST", "/meetings", &wrong)).await;
    assert_eq!(response.status(), 422);
    let errors = &json_of(response).await["error"]["details"]["errors"];
    let said = json!([
        { "pointer": "/room", "code": "unknown", "message": "must be `attic` or `hall`" },
        { "pointer": "/end_time", "code": "order", "message": "must be after the start" },
    ]);
    assert_eq!(errors, &said);
}

#[tokio::test]
async fn a_change_is_made_to_the_version_that_was_read() {
    let app = app(Services::in_memory());
    send(&app, request("POST", "/meetings", &planning())).await;
    let read = send(&app, request("GET", "/meetings/1", &json!(null))).await;
    let tag = read.headers()["etag"].clone();

    for (status, code) in [(200, None), (412, Some("STALE_VERSION"))] {
        let mut change = request("PUT", "/meetings/1", &planning());
        change.headers_mut().insert("if-match", tag.clone());
        let response = send(&app, change).await;
        assert_eq!(response.status(), status);
        assert_eq!(json_of(response).await["error"]["code"].as_str(), code);
    }
}

/// A store of a test's own: the seam that one for a database would use.
struct BrokenStore;

impl Store for BrokenStore {
    fn open(&self) -> io::Result<Box<dyn DerefMut<Target = Book> + '_>> {
        Err(io::Error::other("password hunter2 refused at 10.0.0.7"))
    }
}

#[tokio::test]
async fn what_the_store_says_is_not_for_clients() {
    let app = app(Services {
        calendar: Calendar::new(Arc::new(BrokenStore)),
        outage: Outage::default(),
    });
    let response = send(&app, request("GET", "/meetings", &json!(null))).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    let body = text(response).await;
    assert!(body.contains(r#""code":"CALENDAR_UNAVAILABLE""#), "{body}");
    assert!(!body.contains("hunter2") && !body.contains("10.0.0.7"));
}

/// A key is remembered only with the meeting that it has made.
#[tokio::test]
async fn a_request_that_failed_can_be_sent_again_under_its_key() {
    let services = Services::in_memory();
    let app = app(services.clone());
    let keyed = || {
        let mut request = request("POST", "/meetings", &planning());
        let key = "monday".parse().unwrap();
        request.headers_mut().insert("idempotency-key", key);
        request
    };
    services
        .outage
        .set(&serde_json::from_str(r#"{"calls":1}"#).unwrap());
    assert_eq!(send(&app, keyed()).await.status(), 503);
    for _ in 0..2 {
        let response = send(&app, keyed()).await;
        assert_eq!(json_of(response).await["id"], 1);
    }
}

/// Keys of two users are two keys.
#[tokio::test]
async fn nobody_sees_a_meeting_by_somebody_elses_key() {
    let app = app(Services::in_memory());
    for (token, status) in [("Bearer ada-token", 200), ("Bearer bob-token", 409)] {
        let mut request = request("POST", "/meetings", &planning());
        let headers = request.headers_mut();
        headers.insert("authorization", token.parse().unwrap());
        headers.insert("idempotency-key", "monday".parse().unwrap());
        assert_eq!(send(&app, request).await.status(), status);
    }
}

#[test]
fn arguments_are_read_or_refused() {
    let parse = |line: &str| Arguments::parse(line.split_whitespace().map(str::to_owned));
    let stay = Arguments {
        port: 8080,
        stay: true,
    };
    assert_eq!(parse("--port 8080 --stay"), Ok(stay));
    assert_eq!(parse(""), Ok(Arguments::default()));
    assert!(parse("--prot 8080").unwrap_err().contains("`--prot`"));
    assert!(parse("--port").unwrap_err().contains("needs a number"));
    assert!(parse("--port 70000").unwrap_err().contains("`70000`"));
}

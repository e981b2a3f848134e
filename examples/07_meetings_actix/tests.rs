//! The same requests to both services, and the same answers.

use actix_web::App;
use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use error_runtime::ErrorMiddleware;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::app::routes;
use crate::meetings::Services;
use crate::steps::{STEPS, Step};

#[path = "../06_meetings/app.rs"]
mod axum_app;

/// What a client sees of an answer, but for what is another one each time.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, Option<String>)>,
    body: String,
}

/// `Allow` is not among them: both name the methods, axum with `HEAD`.
const HEADERS: [&str; 6] = [
    "content-type",
    "etag",
    "www-authenticate",
    "retry-after",
    "cache-control",
    "vary",
];

/// Without ids and times, wherever they stand in the body.
fn lasting(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body).into_owned();
    if let Ok(mut json) = serde_json::from_str::<Value>(&text) {
        if let Some(error) = json.get_mut("error").and_then(Value::as_object_mut) {
            error.remove("request_id").unwrap();
            error.remove("timestamp").unwrap();
        }
        return json.to_string();
    }
    text
}

/// The answers of a new service on axum.
async fn on_axum(steps: &[Step]) -> Vec<Answer> {
    let app = axum_app::app(Services::in_memory());
    let mut answers = Vec::new();
    for step in steps {
        let mut request = Request::builder().method(step.method).uri(step.path);
        for (name, value) in headers(step) {
            request = request.header(name, value);
        }
        let body = step.body.map_or_else(Body::empty, Body::from);
        let response = app.clone().oneshot(request.body(body).unwrap()).await;
        let response = response.unwrap();
        let value = |name| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
        answers.push(Answer {
            status: response.status().as_u16(),
            headers: HEADERS.map(|name| (name, value(name))).into(),
            body: lasting(&to_bytes(response.into_body(), 1 << 20).await.unwrap()),
        });
    }
    answers
}

/// The answers of a new service on actix-web.
async fn on_actix(steps: &[Step]) -> Vec<Answer> {
    let app = App::new()
        .configure(routes(Services::in_memory()))
        .wrap(ErrorMiddleware::new());
    let app = init_service(app).await;
    let mut answers = Vec::new();
    for step in steps {
        let mut request = TestRequest::with_uri(step.path)
            .method(Method::from_bytes(step.method.as_bytes()).unwrap());
        for header in headers(step) {
            request = request.insert_header(header);
        }
        if let Some(body) = step.body {
            request = request.set_payload(body);
        }
        let response = call_service(&app, request.to_request()).await;
        let value = |name| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
        answers.push(Answer {
            status: response.status().as_u16(),
            headers: HEADERS.map(|name| (name, value(name))).into(),
            body: lasting(&read_body(response).await),
        });
    }
    answers
}

fn headers(step: &Step) -> impl Iterator<Item = (&'static str, String)> {
    let token = step
        .token
        .map(|token| ("authorization", format!("Bearer {token}")));
    let json = step
        .body
        .map(|_| ("content-type", "application/json".to_owned()));
    let own = step
        .headers
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    token.into_iter().chain(json).chain(own)
}

#[actix_web::test]
async fn both_give_the_same_answers() {
    let answers = on_axum(STEPS).await.into_iter().zip(on_actix(STEPS).await);
    for (step, (axum, actix)) in STEPS.iter().zip(answers) {
        assert_eq!(axum, actix, "{}", step.about);
        assert_eq!(actix.status, step.status, "{}", step.about);
    }
}

/// What is not the same is what the frameworks themselves say of a request: the shape is ours, the status
/// theirs.
#[actix_web::test]
async fn the_frameworks_refuse_in_their_own_way() {
    let refused = |method, path, body| Step {
        method,
        path,
        body,
        token: Some("ada-token"),
        ..STEPS[0]
    };
    let steps = [
        refused("GET", "/meetings/seven", None),
        refused("POST", "/meetings", Some(r#"{"title":7}"#)),
    ];
    let statuses = |answers: Vec<Answer>| answers.into_iter().map(|answer| answer.status);
    assert!(statuses(on_axum(&steps).await).eq([400, 422]));
    assert!(statuses(on_actix(&steps).await).eq([404, 400]));
}

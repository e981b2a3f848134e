//! Transports of the tests: answers that a test makes up, and the real service without a socket.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tokio::time::Instant;
use tower::ServiceExt as _;

use crate::transport::{Answer, Call, LIMIT, Transport};

pub(crate) fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.into(),
        whole: true,
    }
}

pub(crate) fn unavailable(seconds: u64) -> Answer {
    let body = r#"{"error":{"code":"BUSY","message":"busy","status":503,"recoverable":true}}"#;
    let mut answer = answer(503, body);
    answer.headers.insert("retry-after", seconds.into());
    answer
        .headers
        .insert("x-request-id", "r-7".parse().unwrap());
    answer
}

pub(crate) fn planning() -> Answer {
    answer(200, r#"{"id":1,"title":"Planning"}"#)
}

/// Gives these answers, one after the other, then none any more.
pub(crate) struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    /// When each call came, and its key.
    pub(crate) calls: Mutex<Vec<(Duration, Option<String>)>>,
    start: Instant,
}

impl Scripted {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            answers: Mutex::new(answers.into_iter().collect()),
            calls: Mutex::default(),
            start: Instant::now(),
        }
    }

    pub(crate) fn times(&self) -> Vec<Duration> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|(at, _)| *at).collect()
    }
}

impl Transport for &Scripted {
    async fn send(&self, call: &Call) -> Result<Answer, reqwest::Error> {
        let mut headers = call.headers.iter();
        let key = headers.find(|(name, _)| *name == "idempotency-key");
        let key = key.map(|(_, key)| key.clone());
        let at = self.start.elapsed();
        self.calls.lock().unwrap().push((at, key));
        let answer = self.answers.lock().unwrap().pop_front();
        match answer {
            Some(answer) => Ok(answer),
            None => std::future::pending().await,
        }
    }
}

/// The real service, called without a socket.
pub(crate) struct InProcess(pub(crate) Router);

impl Transport for InProcess {
    async fn send(&self, call: &Call) -> Result<Answer, reqwest::Error> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(&call.path)
            .header("authorization", format!("Bearer {}", call.token))
            .header("content-type", "application/json");
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        let body = call.body.as_ref().map(Value::to_string).unwrap_or_default();
        let request = request.body(Body::from(body)).unwrap();
        let (head, body) = self.0.clone().oneshot(request).await.unwrap().into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: to_bytes(body, LIMIT).await.unwrap().into(),
            whole: true,
        })
    }
}

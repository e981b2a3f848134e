//! Tests of the client: against answers that a test makes up, and against the real service without a socket. Time is
//! tokio's and paused, so waits cost none and can be measured exactly.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use error_runtime::{Breakers, Classify as _, Rejected};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::ServiceExt as _;

use crate::api::{Meeting, Meetings, call};
use crate::app::app;
use crate::error::{CallError, Kind};
use crate::meetings::Services;
use crate::transport::{Answer, Call, Http, LIMIT, Transport};
use crate::{between, new_meeting, serve, url};

/// All calls of a process share one breaker, so tests that use it run one at a time and leave it as new.
async fn alone() -> impl Drop {
    static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let guard = ALONE.lock().await;
    Breakers::global().reset_all();
    guard
}

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.into(),
        whole: true,
    }
}

fn unavailable(seconds: u64) -> Answer {
    let body = r#"{"error":{"code":"BUSY","message":"busy","status":503,"recoverable":true}}"#;
    let mut answer = answer(503, body);
    answer.headers.insert("retry-after", seconds.into());
    answer
        .headers
        .insert("x-request-id", "r-7".parse().unwrap());
    answer
}

fn planning() -> Answer {
    answer(200, r#"{"id":1,"title":"Planning"}"#)
}

/// Gives these answers, one after the other, then none any more.
struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    /// When each call came, and its key.
    calls: Mutex<Vec<(Duration, Option<String>)>>,
    start: Instant,
}

impl Scripted {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            answers: Mutex::new(answers.into_iter().collect()),
            calls: Mutex::default(),
            start: Instant::now(),
        }
    }

    fn times(&self) -> Vec<Duration> {
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
struct InProcess(Router);

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

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn waits_as_long_as_the_server_asks() {
    let _alone = alone().await;
    let server = Scripted::new([unavailable(3), unavailable(2), planning()]);
    let planning = new_meeting("Planning", "attic");
    let made = Meetings::new(&server).create(&planning).await.unwrap();
    assert_eq!(made.id, 1);
    assert_eq!(server.times(), [Duration::ZERO, 3 * SECOND, 5 * SECOND]);
}

#[tokio::test(start_paused = true)]
async fn does_not_wait_for_longer_than_it_wants_to() {
    let _alone = alone().await;
    let server = Scripted::new([unavailable(60)]);
    let error = Meetings::new(&server).read(1).await.unwrap_err();
    assert_eq!(error.request_id.as_deref(), Some("r-7"));
    assert_eq!(error.to_string(), "unavailable for 60s (request r-7)");
    assert_eq!(server.times(), [Duration::ZERO]);
}

#[tokio::test(start_paused = true)]
async fn keeps_its_key_and_takes_another_for_another_meeting() {
    let _alone = alone().await;
    let lost = answer(502, "<h1>Bad Gateway</h1>");
    let server = Scripted::new([lost, planning(), planning()]);
    let meetings = Meetings::new(&server);
    for _ in 0..2 {
        meetings
            .create(&new_meeting("Planning", "attic"))
            .await
            .unwrap();
    }
    let calls = server.calls.lock().unwrap();
    let keys: Vec<_> = calls.iter().map(|(_, key)| key.as_ref().unwrap()).collect();
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[1], keys[2]);
}

#[tokio::test(start_paused = true)]
async fn gives_up_a_server_that_does_not_answer() {
    let _alone = alone().await;
    let server = Scripted::new([]);
    let error = Meetings::new(&server).read(1).await.unwrap_err();
    assert!(
        matches!(error.kind, Kind::Rejected(Rejected::Timeout)),
        "{error}"
    );
    assert_eq!(server.times().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn leaves_a_server_alone_that_fails_and_comes_back() {
    let _alone = alone().await;
    let server = Scripted::new([unavailable(0), unavailable(0), unavailable(0), planning()]);
    let meetings = Meetings::new(&server);
    let failed = meetings.read(1).await.unwrap_err();
    assert!(matches!(failed.kind, Kind::Unavailable { .. }), "{failed}");

    let refused = meetings.read(1).await.unwrap_err();
    assert!(matches!(
        refused.kind,
        Kind::Rejected(Rejected::CircuitOpen(_))
    ));
    assert_eq!(server.times().len(), 3, "the fourth was not sent");

    tokio::time::advance(SECOND).await;
    assert_eq!(meetings.read(1).await.unwrap().title, "Planning");
}

/// A mistake of the caller is no failure of the server, however often it is made.
#[tokio::test(start_paused = true)]
async fn mistakes_of_the_caller_open_no_circuit() {
    let _alone = alone().await;
    let meetings = Meetings::new(InProcess(app(Services::in_memory())));
    for _ in 0..10 {
        let error = meetings.read(7).await.unwrap_err();
        let Kind::Other { code, .. } = &error.kind else {
            panic!("{error}")
        };
        assert_eq!(code, "MEETING_NOT_FOUND");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_what_the_service_says() {
    let _alone = alone().await;
    let meetings = Meetings::new(InProcess(app(Services::in_memory())));
    meetings.take_store_away(2).await.unwrap();
    let start = Instant::now();
    let made = meetings.create(&new_meeting("Planning", "attic")).await;
    assert_eq!(made.unwrap().id, 1);
    assert_eq!(start.elapsed(), 2 * SECOND);

    let conflict = meetings
        .create(&new_meeting("Talk", "attic"))
        .await
        .unwrap_err();
    assert!(
        matches!(&conflict.kind, Kind::Conflict { with } if *with == [1]),
        "{conflict}"
    );
    assert!(!conflict.classify().retryable);

    let invalid = meetings
        .create(&new_meeting("", "attic"))
        .await
        .unwrap_err();
    let Kind::Invalid { errors } = &invalid.kind else {
        panic!("{invalid}")
    };
    assert_eq!(errors[0].pointer, "/title");
    assert_eq!(errors.len(), 1);
}

/// What is no envelope, or one that is not as it should be, is an error like another.
#[test]
fn reads_whatever_comes() {
    let conflict = |details: Value| {
        let error = json!({ "code": "MEETING_CONFLICT", "message": "no", "status": 409, "details": details });
        CallError::of_answer(&answer(409, json!({ "error": error }).to_string()))
    };
    let whole = conflict(json!({ "conflicting_meetings": [1, 2] }));
    assert!(matches!(whole.kind, Kind::Conflict { with } if with == [1, 2]));
    for details in [
        json!({}),
        json!([]),
        json!({ "conflicting_meetings": ["one"] }),
    ] {
        assert!(matches!(conflict(details).kind, Kind::Other { .. }));
    }

    let cut = Answer {
        whole: false,
        ..answer(500, r#"{"error":{"code":"X"#)
    };
    for (answer, retryable) in [
        (answer(502, "<html>502 Bad Gateway</html>"), true),
        (answer(503, ""), true),
        (answer(404, "<html>no such host</html>"), false),
        (answer(500, r#"{"error":{"code":7}}"#), false),
        (answer(500, [0xff, 0x00, 0x0a]), false),
        (answer(302, ""), false),
        (cut, false),
    ] {
        let error = CallError::of_answer(&answer);
        assert!(matches!(error.kind, Kind::Foreign(_)), "{error}");
        assert_eq!(error.classify().retryable, retryable, "{error}");
        assert!(!error.to_string().contains(char::is_control));
    }
}

/// Over a socket: an answer that does not end is not read to its end.
#[tokio::test]
async fn reads_no_more_than_an_answer_has() {
    let proxy = serve(between::proxy("http://127.0.0.1:1".to_owned()))
        .await
        .unwrap();
    let http = Http::new(format!("{proxy}/endless")).unwrap();
    let call = call(Method::GET, "/meetings/1");
    let answer = http.send(&call).await.unwrap();
    assert_eq!((answer.whole, answer.body.len()), (false, LIMIT));
    let read = Meetings::new(http).once::<Meeting>(&call).await;
    assert!(matches!(read.unwrap_err().kind, Kind::Foreign(_)));
}

#[test]
fn arguments_are_read_or_refused() {
    let parse = |line: &str| url(line.split_whitespace().map(str::to_owned));
    assert_eq!(parse(""), Ok(None));
    assert_eq!(parse("--url http://a/"), Ok(Some("http://a".to_owned())));
    for (line, said) in [
        ("--ulr x", "`--ulr`"),
        ("--url", "needs an address"),
        ("--url x y", "`y`"),
    ] {
        assert!(parse(line).unwrap_err().contains(said), "{line}");
    }
}

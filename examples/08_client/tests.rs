//! Tests of the client: against answers that a test makes up, and against the real service without a socket. Time is
//! tokio's and paused, so waits cost none and can be measured exactly.

use std::time::Duration;

use error_runtime::{Breakers, Classify as _, Rejected};
use http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::api::{Meeting, Meetings, call};
use crate::app::app;
use crate::error::{CallError, Kind};
use crate::fakes::{InProcess, Scripted, answer, planning, unavailable};
use crate::meetings::Services;
use crate::transport::{Answer, Http, LIMIT, Transport as _};
use crate::{between, new_meeting, serve, url};

/// All calls of a process share one breaker, so tests that use it run one at a time and leave it as new.
async fn alone() -> impl Drop {
    static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let guard = ALONE.lock().await;
    Breakers::global().reset_all();
    guard
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

/// The answer to the first attempt was lost, so nobody knows but the second: the meeting is gone, as it should be.
#[tokio::test(start_paused = true)]
async fn what_an_earlier_attempt_has_cancelled_is_done() {
    let _alone = alone().await;
    let lost = || answer(502, "<h1>Bad Gateway</h1>");
    let gone = || {
        let error = json!({ "code": "MEETING_NOT_FOUND", "message": "gone", "status": 404 });
        answer(404, json!({ "error": error }).to_string())
    };
    let server = Scripted::new([lost(), gone(), gone(), lost(), answer(404, "no such host")]);
    let meetings = Meetings::new(&server);
    assert_eq!(meetings.cancel(1).await.unwrap(), None);
    assert_eq!(server.times().len(), 2);

    let never_there = meetings.cancel(1).await.unwrap_err();
    assert!(never_there.is("MEETING_NOT_FOUND"), "{never_there}");
    assert_eq!(server.times().len(), 3);

    // A 404 of somebody in between says nothing of the meeting.
    let foreign = meetings.cancel(1).await.unwrap_err();
    assert!(matches!(foreign.kind, Kind::Foreign(_)), "{foreign}");
}

#[tokio::test(start_paused = true)]
async fn gives_up_a_server_that_does_not_answer() {
    let _alone = alone().await;
    let server = Scripted::new([]);
    let meetings = Meetings::new(&server);
    let read = tokio::time::timeout(60 * SECOND, meetings.read(1)).await;
    let error = read.unwrap().unwrap_err();
    assert!(matches!(error.kind, Kind::Rejected(Rejected::Timeout)));
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
        ..unavailable(1)
    };
    for (answer, retryable) in [
        (answer(502, "<html>502 Bad Gateway</html>"), true),
        (answer(503, ""), true),
        (answer(404, "<html>no such host</html>"), false),
        (answer(500, r#"{"error":{"code":7}}"#), false),
        (answer(500, [0xff, 0x00, 0x0a]), false),
        (answer(302, ""), false),
        (cut, true),
    ] {
        let error = CallError::of_answer(&answer);
        assert!(matches!(error.kind, Kind::Foreign(_)), "{error}");
        assert_eq!(error.classify().retryable, retryable, "{error}");
        assert!(!error.to_string().contains(char::is_control));
    }
}

/// Whatever the status says of itself.
#[test]
fn an_error_knows_best_whether_another_attempt_helps() {
    for (status, recoverable) in [(503, true), (503, false), (409, true), (409, false)] {
        let error =
            json!({ "code": "X", "message": "x", "status": status, "recoverable": recoverable });
        let answer = answer(status, json!({ "error": error }).to_string());
        let error = CallError::of_answer(&answer);
        assert_eq!(error.classify().retryable, recoverable, "{error}");
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

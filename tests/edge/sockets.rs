//! What takes more than one request, or more than one look.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use error_runtime::{ErrorEvent, Origin};

use crate::case::Case;
use crate::check::check;
use crate::client::{Answer, Request};
use crate::servers::{Framework, Server, Variant, server};
use crate::table::table;

/// How the ids of the requests in here begin.
pub(crate) const IDS: &str = "socket-";

const BOTH: [Framework; 2] = [Framework::Axum, Framework::Actix];

fn plain(framework: Framework) -> Server {
    server(framework, Variant::Plain)
}

/// Every nested edge has a part in the answer, and each reporter is told once all the same: those that both
/// edges have, and those of the nested one alone.
#[test]
fn nested_edges_tell_each_reporter_once() {
    for framework in BOTH {
        let server = plain(framework);
        for (id, path, origin, is_within) in [
            ("socket-n1", "/nested/fail/clash", Origin::Declared, true),
            (
                "socket-n2",
                "/nested/inner/fail/clash",
                Origin::Declared,
                true,
            ),
            (
                "socket-n3",
                "/nested/inner/fail/sold",
                Origin::Declared,
                true,
            ),
            ("socket-n4", "/nested/fail/panic-str", Origin::Panic, true),
            (
                "socket-n5",
                "/nested/made/text-500",
                Origin::Framework,
                true,
            ),
            ("socket-n6", "/fail/clash", Origin::Declared, false),
        ] {
            let answer = Request::new("GET", path)
                .header("X-Request-ID", id)
                .send(server.address);
            assert!(answer.status >= 400, "{framework:?} {path}");
            let told = |events: &[ErrorEvent]| {
                let origins = events.iter().map(|event| event.origin);
                origins.collect::<Vec<_>>()
            };
            let outer = told(&server.events.of_request(id));
            let nested = told(&server.nested_events.of_request(id));
            let expected = vec![origin; usize::from(is_within)];
            assert_eq!(outer, [origin], "{framework:?} {path}");
            assert_eq!(nested, expected, "{framework:?} {path}");
        }
    }
}

/// A connection that stays open gets a context for each request; a failure does not end it.
#[test]
fn requests_of_one_connection_are_apart() {
    const LAST: &str = "socket-c3";
    for framework in BOTH {
        let mut stream = TcpStream::connect(plain(framework).address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        // All at once: the server has the later ones while it works on the first.
        for (id, kind, connection) in [
            ("socket-c1", "panic-str", "keep-alive"),
            ("socket-c2", "missing", "keep-alive"),
            (LAST, "login", "close"),
        ] {
            let head = format!("GET /fail/{kind} HTTP/1.1\r\nHost: x\r\nX-Request-ID: {id}\r\n");
            write!(stream, "{head}Connection: {connection}\r\n\r\n").unwrap();
        }
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        let answers: Vec<_> = all.split("HTTP/1.1 ").skip(1).collect();
        let statuses: Vec<_> = answers.iter().map(|answer| &answer[..3]).collect();
        assert_eq!(statuses, ["500", "404", "500"], "{framework:?}: {all}");
        for (answer, number) in answers.iter().zip(1..) {
            let id = format!("x-request-id: socket-c{number}\r\n");
            assert!(answer.contains(&id), "{framework:?}: {answer}");
            assert_eq!(
                answer.matches("socket-c").count(),
                2,
                "{framework:?}: {answer}"
            );
        }
    }
}

/// Requests that one thread works on by turns do not see each other's ids.
#[test]
fn requests_at_once_are_apart() {
    for framework in BOTH {
        let address = plain(framework).address;
        std::thread::scope(|scope| {
            for number in 0..32 {
                scope.spawn(move || {
                    let id = format!("{IDS}p{number}");
                    let request = Request::new("GET", "/context/task-after-await");
                    let answer = request.header("X-Request-ID", &id).send(address);
                    assert_eq!(answer.text(), id, "{framework:?}");
                });
            }
        });
    }
}

/// A client that goes away harms nobody: the next one is answered.
#[test]
fn a_client_that_goes_away_is_no_failure() {
    for framework in BOTH {
        let server = plain(framework);
        let mut stream = TcpStream::connect(server.address).unwrap();
        write!(
            stream,
            "POST /json HTTP/1.1\r\nHost: x\r\nX-Request-ID: socket-gone\r\nContent-Length: 9\r\n\r\n{{"
        )
        .unwrap();
        drop(stream);
        let answer = Request::new("GET", "/ok").header("X-Request-ID", "socket-next");
        assert_eq!(answer.send(server.address).text(), "fine", "{framework:?}");
    }
}

fn case(name: &str) -> Case {
    let mut table = table().into_iter();
    table.find(|case| case.name == name).expect("a row")
}

/// The answer to a row and its events, with an id of its own.
fn run(name: &str) -> (Case, Answer, Vec<ErrorEvent>) {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let id = format!("{IDS}run-{number}");
    let case = case(name);
    let server = plain(Framework::Axum);
    let request = case.request.clone().header("X-Request-ID", &id);
    let answer = request.send(server.address);
    let events = server.events.of_request(&id);
    (case, answer, events)
}

/// Whether the checks of the table see anything: each answer, changed a little, must be found wrong.
#[test]
fn what_is_wrong_is_found() {
    type Change = fn(&mut Answer, &mut Vec<ErrorEvent>);
    fn header(answer: &mut Answer, name: &str, value: &str) {
        answer.headers.retain(|(other, _)| other != name);
        answer.headers.push((name.to_owned(), value.to_owned()));
    }
    fn replace(answer: &mut Answer, what: &str, with: &str) {
        let text = answer.text();
        assert!(text.contains(what), "{what} in {text}");
        answer.body = text.replacen(what, with, 1).into_bytes();
    }
    let changes: [(&str, Change); 24] = [
        ("status", |answer, _| answer.status = 410),
        ("cut", |answer, _| answer.is_complete = false),
        ("leak", |answer, _| answer.raw.extend(b"hunter2")),
        ("path", |answer, _| answer.raw.extend(b"src/main.rs")),
        ("no id", |answer, _| {
            answer.headers.retain(|(name, _)| name != "x-request-id");
        }),
        ("other id", |answer, _| header(answer, "x-request-id", "x")),
        ("two ids", |answer, _| {
            answer.headers.push(("x-request-id".into(), "x".into()));
        }),
        ("type", |answer, _| {
            header(answer, "content-type", "text/plain");
        }),
        ("two types", |answer, _| {
            answer.headers.push(("content-type".into(), "x/y".into()));
        }),
        ("cache", |answer, _| {
            header(answer, "cache-control", "max-age=1");
        }),
        ("vary", |answer, _| header(answer, "vary", "*")),
        ("vary twice", |answer, _| {
            answer.headers.push(("vary".into(), "accept".into()));
        }),
        ("encoding", |answer, _| {
            header(answer, "content-encoding", "gzip");
        }),
        ("length", |answer, _| header(answer, "content-length", "1")),
        ("code", |answer, _| {
            replace(answer, "ITEM_MISSING", "ITEM_GONE___");
        }),
        ("message", |answer, _| replace(answer, "item 7", "item 8")),
        ("details", |answer, _| {
            replace(answer, "\"id\":7", "\"id\":8");
        }),
        ("member", |answer, _| {
            replace(answer, "{\"code\"", "{\"stack\":[],\"code\"");
        }),
        ("body's id", |answer, _| {
            replace(answer, "request_id", "request_no");
        }),
        ("untold", |_, events| events.clear()),
        ("told twice", |_, events| events.extend(events.clone())),
        ("origin", |_, events| events[0].origin = Origin::Response),
        ("route", |_, events| {
            events[0].route = Some("/fail/missing".to_owned());
        }),
        ("told path", |_, events| {
            events[0].display.push_str(" at /fail/missing");
        }),
    ];
    let (case, answer, events) = run("accept: none");
    let mut expected = case.expected(Framework::Axum).clone();
    // The id is this test's.
    let id: &'static str = answer.header("x-request-id").unwrap().to_owned().leak();
    expected.id = crate::case::Id::Kept(id);
    assert_eq!(check(&case, &expected, &answer, &events), [""; 0]);
    for (name, change) in changes {
        let (mut answer, mut events) = (answer.clone(), events.clone());
        change(&mut answer, &mut events);
        let found = check(&case, &expected, &answer, &events);
        assert!(!found.is_empty(), "{name} is not seen");
    }
}

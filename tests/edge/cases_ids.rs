//! The ids that a request brings: believed or replaced, echoed on whatever comes back, seen by the code that
//! runs for it.

use error_runtime::Origin;
use serde_json::json;

use crate::case::{Body, Case, Check, Expected, Id, Want, declared, frameworks, status};
use crate::client::Answer;
use crate::servers::Variant;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn traceparent(version: &str, trace: &str, end: &str) -> String {
    format!("{version}-{trace}-00f067aa0ba902b7-01{end}")
}

fn fine() -> Expected {
    status(200).with(Body::Exact("fine"))
}

fn missing() -> Expected {
    declared(404, "ITEM_MISSING", "item 7 not found").details(json!({"id": 7}))
}

fn ok(name: &'static str) -> Case {
    Case::new(name, "GET", "/ok", "").gives(fine())
}

fn failing(name: &'static str) -> Case {
    Case::new(name, "GET", "/fail/{kind}", "missing").gives(missing())
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = kept();
    cases.extend(replaced());
    cases.extend(traces());
    cases.extend(seen());
    cases
}

fn kept() -> Vec<Case> {
    const LONGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\
        0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let with = |case: Case, id: &'static str| case.header("X-Request-ID", id);
    vec![
        ok("id: none"),
        with(ok("id: of a 200"), "ok-1").gives(fine().id(Id::Kept("ok-1"))),
        with(failing("id: of a 404"), "A.b_c-9").gives(missing().id(Id::Kept("A.b_c-9"))),
        with(failing("id: the longest"), LONGEST).gives(missing().id(Id::Kept(LONGEST))),
        with(
            Case::unrouted("id: of an unrouted 404", "GET", "/nowhere"),
            "lost-1",
        )
        .gives(frameworks(404).without_route().id(Id::Kept("lost-1"))),
        with(
            Case::new("id: of a panic", "GET", "/fail/{kind}", "panic-any"),
            "panic-1",
        )
        .gives(
            frameworks(500)
                .from(Origin::Panic)
                .logged("a panic without a text")
                .id(Id::Kept("panic-1")),
        ),
        with(
            Case::new(
                "id: of an answer by hand",
                "GET",
                "/made/{kind}",
                "empty-503",
            ),
            "own-1",
        )
        // A middleware that has put another one there does not win.
        .gives(
            frameworks(503)
                .id(Id::Kept("own-1"))
                .has("retry-after", Want::Is("120")),
        ),
        // The line ends there; what follows is a header of the request's, which nobody echoes.
        Case::new("id: a line too many", "GET", "/ok", "")
            .header("X-Request-ID", "crlf-1\r\nSet-Cookie: stolen=1")
            .gives(
                fine()
                    .id(Id::Kept("crlf-1"))
                    .has("set-cookie", Want::Absent),
            ),
    ]
}

fn replaced() -> Vec<Case> {
    let with = |name, id: &[u8]| failing(name).header("X-Request-ID", id);
    let refused = |case: Case| case.gives(status(400).by_server());
    vec![
        with("id: empty", b""),
        with("id: 129 characters", &[b'x'; 129]),
        with("id: a space", b"a b"),
        with("id: a comma", b"a,b"),
        with("id: not ASCII", "äöü".as_bytes()),
        with("id: not UTF-8", b"\xff\xfe"),
        with("id: an escaped line", b"a%0d%0aSet-Cookie:x"),
        with("id: markup", b"<script>"),
        with("id: two", b"a").header("x-request-id", "b"),
        with("id: twice the same", b"a").header("X-Request-ID", "a"),
        with("id: believed by nobody", b"abc")
            .on(Variant::Fixed)
            .gives(
                missing()
                    .shaped(crate::case::Shape::Problem(
                        "https://docs.example.com/errors/item-missing",
                    ))
                    .unvaried(),
            ),
        // Neither server lets these through.
        refused(with("id: a bare return", b"a\rSet-Cookie: x")),
        refused(with("id: a zero", b"a\0b")),
        refused(with("id: a folded line", b"a\r\n b")),
    ]
}

fn traces() -> Vec<Case> {
    let with = |name, value: &str| failing(name).header("traceparent", value);
    let valid = |name, value: &str| with(name, value).gives(missing().trace(TRACE));
    let zero = "0".repeat(32);
    vec![
        valid("trace: valid", &traceparent("00", TRACE, "")),
        valid("trace: later version", &traceparent("cc", TRACE, "-more")),
        valid("trace: html", &traceparent("00", TRACE, ""))
            .accept("text/html")
            .gives(missing().trace(TRACE).shaped(crate::case::Shape::Html)),
        Case::unrouted("trace: of an unrouted 404", "GET", "/nowhere")
            .header("traceparent", traceparent("00", TRACE, ""))
            .gives(frameworks(404).without_route().trace(TRACE)),
        Case::new("trace: of a panic", "GET", "/fail/{kind}", "panic-str")
            .header("traceparent", traceparent("00", TRACE, ""))
            .gives(frameworks(500).from(Origin::Panic).trace(TRACE)),
        with("trace: empty", ""),
        with(
            "trace: in capitals",
            &traceparent("00", &TRACE.to_uppercase(), ""),
        ),
        with("trace: zero", &traceparent("00", &zero, "")),
        with("trace: no version", &traceparent("ff", TRACE, "")),
        with("trace: too long", &traceparent("00", TRACE, "-01")),
        with("trace: two", &traceparent("00", TRACE, ""))
            .header("traceparent", traceparent("00", TRACE, "")),
    ]
}

/// What the code of a request knows.
fn seen() -> Vec<Case> {
    let context = |name, kind| Case::new(name, "GET", "/context/{kind}", kind);
    let has_id = || status(200).with(Body::RequestId);
    let login = |user| {
        declared(500, "LOGIN", "An unexpected error occurred")
            .logged("login as app with hunter2 failed")
            .user(user)
    };
    vec![
        context("context: the id", "id").gives(has_id()),
        context("context: in a task", "task").gives(has_id()),
        context("context: in a task, later", "task-after-await").gives(has_id()),
        context("context: not in a stranger's task", "plain-task")
            .gives(status(200).with(Body::Exact("None"))),
        context("context: sent on", "propagate")
            .header("X-Request-ID", "sent-on")
            .header("traceparent", traceparent("00", TRACE, ""))
            .header("tracestate", "vendor=1")
            .gives(
                status(200)
                    .id(Id::Kept("sent-on"))
                    .with(Body::Checked(Check("what is sent on", is_sent_on))),
            ),
        context("context: sent on without a trace", "propagate")
            .header("X-Request-ID", "sent-alone")
            .header("tracestate", "vendor=1")
            .gives(
                status(200)
                    .id(Id::Kept("sent-alone"))
                    .with(Body::Exact("x-request-id: sent-alone\n")),
            ),
        context("context: the user", "user").gives(login("user-7")),
        context("context: the user of a panic", "user-before-panic")
            .gives(frameworks(500).from(Origin::Panic).user("user-8")),
        context("context: the user, by a task", "user-of-task").gives(missing().user("user-9")),
    ]
}

/// The same trace, and a span of its own.
fn is_sent_on(answer: &Answer) -> bool {
    let text = answer.text();
    let of = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(other, value)| (other == name).then(|| value.to_owned()))
    };
    let parent = of("traceparent").unwrap_or_default();
    of("x-request-id").as_deref() == Some("sent-on")
        && of("tracestate").as_deref() == Some("vendor=1")
        && parent.starts_with(&format!("00-{TRACE}-"))
        && parent.ends_with("-01")
        && parent.len() == 55
        && !parent.contains("00f067aa0ba902b7")
}

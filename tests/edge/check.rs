//! Compares an answer, and what reporters were told of it, with a row of the table.

use error_runtime::ErrorEvent;
use serde_json::{Map, Value, json};

use crate::case::{Body, Case, Expected, Id, Made, Report, Shape, Want};
use crate::client::{Answer, find, lossy};
use crate::errors::SECRET;
use crate::servers::Variant;

/// What no answer may say: secrets, and where the code is.
const LEAKS: [&str; 5] = [SECRET, "panicked", "tests/edge", "src/", "errors.rs"];

/// The differences, in words.
pub(crate) struct Differences(pub(crate) Vec<String>);

impl Differences {
    fn unless(&mut self, holds: bool, text: impl FnOnce() -> String) {
        if !holds {
            self.0.push(text());
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "most of what is compared is made for it"
    )]
    fn equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, got: T, expected: T) {
        self.unless(got == expected, || {
            format!("{what}: got {got:?}, expected {expected:?}")
        });
    }
}

/// All differences between what came and what is expected.
pub(crate) fn check(
    case: &Case,
    expected: &Expected,
    answer: &Answer,
    events: &[ErrorEvent],
) -> Vec<String> {
    let mut all = Differences(Vec::new());
    all.equal("status", answer.status, expected.status);
    all.equal("broken off", !answer.is_complete, expected.is_broken_off);
    for leak in LEAKS {
        let may = matches!(case.variant, Variant::Development | Variant::FrameworkText);
        let leaks = find(&answer.raw, leak.as_bytes()).is_some();
        all.unless(may || !leaks, || format!("it leaks {leak:?}"));
    }
    if expected.is_servers {
        all.equal("ids", answer.all("x-request-id"), vec![]);
        return all.0;
    }
    check_headers(&mut all, expected, answer);
    check_body(&mut all, case, expected, answer);
    check_report(&mut all, case, expected, answer, events);
    all.0
}

fn check_headers(all: &mut Differences, expected: &Expected, answer: &Answer) {
    for name in ["content-type", "content-length", "cache-control"] {
        let count = answer.all(name).len();
        all.unless(count < 2, || format!("{count} lines of {name}"));
    }
    let id = answer.header("x-request-id").unwrap_or_default();
    match expected.id {
        Id::Kept(kept) => all.equal("id", id, kept),
        Id::Fresh => all.unless(is_uuid_v7(id), || format!("{id:?} is no UUID v7")),
    }
    for (name, want) in &expected.headers {
        let values: &[&str] = match want {
            Want::Is(value) => &[*value],
            Want::Are(values) => values,
            Want::Absent => &[],
        };
        // What it lists has no case.
        let list = |values: &[&str]| -> Vec<String> {
            let own = |value: &&str| match *name {
                "vary" => value.to_ascii_lowercase(),
                _ => (*value).to_owned(),
            };
            values.iter().map(own).collect()
        };
        all.equal(name, list(&answer.all(name)), list(values));
    }
}

fn is_uuid_v7(id: &str) -> bool {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    id.len() == 36
        && id.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'7',
            19 => b"89ab".contains(&byte),
            _ => is_hex(byte),
        })
}

fn check_body(all: &mut Differences, case: &Case, expected: &Expected, answer: &Answer) {
    let id = answer.header("x-request-id").unwrap_or_default();
    match &expected.body {
        Body::Empty => all.equal("body", answer.text().as_str(), ""),
        Body::Exact(bytes) => all.equal("body", answer.text().as_str(), *bytes),
        Body::RequestId => all.equal("body", answer.text().as_str(), id),
        Body::Checked(check) => {
            all.unless(check.1(answer), || {
                format!("{}: {}", check.0, answer.text())
            });
        }
        Body::Made(made) => check_made(all, case, expected, made, answer),
    }
}

fn check_made(
    all: &mut Differences,
    case: &Case,
    expected: &Expected,
    made: &Made,
    answer: &Answer,
) {
    let content_type = match made.format {
        Shape::Envelope => "application/json",
        Shape::Problem(_) => "application/problem+json",
        Shape::Html | Shape::Page(_) => "text/html; charset=utf-8",
    };
    all.equal("type", answer.header("content-type"), Some(content_type));
    let is_asked = |name: &str| expected.headers.iter().any(|(asked, _)| *asked == name);
    if !is_asked("cache-control") {
        all.equal("cache", answer.header("cache-control"), Some("no-store"));
    }
    if !is_asked("vary") {
        let vary = if made.varies {
            vec!["accept".to_owned()]
        } else {
            vec![]
        };
        // The names of headers have no case.
        let got = answer.all("vary").into_iter();
        let got: Vec<_> = got.map(str::to_ascii_lowercase).collect();
        all.equal("vary", got, vary);
    }
    for gone in [
        "content-encoding",
        "transfer-encoding",
        "etag",
        "last-modified",
    ] {
        all.equal(gone, answer.header(gone), None);
    }
    let length = answer.header("content-length").unwrap_or_default();
    if case.request.method == "HEAD" {
        // That of the body which a GET gets.
        all.unless(length.parse::<u32>().is_ok_and(|length| length > 0), || {
            format!("the length of a HEAD: {length:?}")
        });
        return all.equal("body of a HEAD", answer.text().as_str(), "");
    }
    all.equal("length", length, &answer.body.len().to_string());
    let text = answer.text();
    match made.format {
        Shape::Page(page) => all.equal("page", text.as_str(), page),
        Shape::Html => check_html(all, expected, made, &text, answer),
        Shape::Envelope | Shape::Problem(_) => match serde_json::from_str(&text) {
            Ok(body) => check_json(all, expected, made, &body, answer),
            Err(error) => all.0.push(format!("{error} in {text:?}")),
        },
    }
}

fn check_json(
    all: &mut Differences,
    expected: &Expected,
    made: &Made,
    body: &Value,
    answer: &Answer,
) {
    let id = answer.header("x-request-id").unwrap_or_default();
    let mut want = Map::new();
    let mut put = |name: &str, value: Value| want.insert(name.to_owned(), value);
    let inside = match made.format {
        Shape::Problem(kind) => {
            let urn = if is_uuid_v7(id) { "uuid" } else { "request" };
            put("type", json!(kind));
            put("detail", json!(made.message));
            put("instance", json!(format!("urn:{urn}:{id}")));
            // Any: the declaration's own, which is not what this is about.
            put("title", body["title"].clone());
            body
        }
        _ => {
            all.equal("members", body.as_object().map_or(0, Map::len), 1);
            put("message", json!(made.message));
            &body["error"]
        }
    };
    put("code", json!(made.code));
    put("status", json!(expected.status));
    put("request_id", json!(id));
    put("recoverable", json!(made.is_recoverable));
    if let Some(trace) = expected.trace_id {
        put("trace_id", json!(trace));
    }
    let mut details = made.details.as_object().cloned().unwrap_or_default();
    if let Shape::Problem(_) = made.format
        && let Some(errors) = details.remove("errors")
    {
        put("errors", errors);
    }
    if !details.is_empty() {
        put("details", Value::Object(details));
    }
    let mut got = inside.as_object().cloned().unwrap_or_default();
    all.unless(
        got.remove("timestamp").is_some_and(|time| time.is_string()),
        || "no timestamp".to_owned(),
    );
    let debug = got.remove("debug");
    match (made.debug, &debug) {
        (None, None) => {}
        (Some(text), Some(debug)) => all.unless(debug.to_string().contains(text), || {
            format!("debug is {debug}, without {text:?}")
        }),
        (expected, got) => all.0.push(format!("debug: {got:?}, expected {expected:?}")),
    }
    // No member more, and none less.
    all.equal("body", Value::Object(got), Value::Object(want));
}

fn check_html(
    all: &mut Differences,
    expected: &Expected,
    made: &Made,
    text: &str,
    answer: &Answer,
) {
    let id = answer.header("x-request-id").unwrap_or_default();
    let status = expected.status.to_string();
    let message = error_runtime::format::escape_html(made.message);
    for part in ["<!doctype html>", &status, &message, made.code, id] {
        all.unless(text.contains(part), || format!("no {part:?} in {text}"));
    }
    if let Some(trace) = expected.trace_id {
        all.unless(text.contains(trace), || format!("no {trace:?} in {text}"));
    }
    all.unless(!text.contains("<script"), || format!("a script: {text}"));
    let debug = made.debug.unwrap_or("</pre>");
    all.equal("debug", text.contains(debug), made.debug.is_some());
}

fn check_report(
    all: &mut Differences,
    case: &Case,
    expected: &Expected,
    answer: &Answer,
    events: &[ErrorEvent],
) {
    let (report, event) = match (&expected.report, events) {
        (None, []) => return,
        (Some(report), [event]) => (report, event),
        (report, events) => {
            let told: Vec<_> = events.iter().map(|event| event.origin).collect();
            return all.0.push(format!("told {told:?}, expected {report:?}"));
        }
    };
    let Report {
        origin,
        status,
        code,
        user,
        log,
        has_route,
    } = report;
    all.equal("origin", event.origin, *origin);
    all.equal("told status", event.status.as_u16(), *status);
    all.equal("told code", &*event.code, *code);
    all.equal("told user", event.user_id.as_deref(), *user);
    all.equal("told trace", event.trace_id.as_deref(), expected.trace_id);
    all.equal(
        "told id",
        event.request_id.as_deref(),
        answer.header("x-request-id"),
    );
    let route = case.route.filter(|_| *has_route);
    all.equal("told route", event.route.as_deref(), route);
    let method = event.method.as_ref().map(http::Method::as_str);
    all.equal("told method", method, Some(case.request.method));
    let message = match &expected.body {
        Body::Made(made) => made.message,
        _ => "",
    };
    all.equal("told message", event.message.as_str(), message);
    if let Some(log) = log {
        let known = format!("{} {:?}", event.display, event.chain);
        all.unless(known.contains(log), || format!("the log reads {known}"));
    }
    // The path holds what people typed; the template does not.
    let told = format!("{event:?}");
    let path = case.request.path.as_str();
    if route != Some(path) && path.len() > 1 {
        all.unless(!told.contains(path), || format!("{path} in {told}"));
    }
}

/// An answer as text, for whoever has to find out.
pub(crate) fn shown(answer: &Answer) -> String {
    lossy(&answer.raw[..answer.raw.len().min(2_000)])
}

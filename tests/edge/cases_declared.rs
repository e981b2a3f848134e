//! Declared errors, handlers of one's own, and panics.

use error_runtime::Origin;
use serde_json::json;

use crate::case::{Body, Case, Expected, Shape, Want, answer, declared, frameworks, status};
use crate::servers::Variant;

const INTERNAL: &str = "An unexpected error occurred";

fn failing(name: &'static str, kind: &str) -> Case {
    Case::new(name, "GET", "/fail/{kind}", kind)
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = plain();
    cases.extend(secrets());
    cases.extend(sizes());
    cases.extend(panics());
    cases.extend(handlers());
    cases.extend(heads());
    cases
}

fn plain() -> Vec<Case> {
    let signed_out = || declared(401, "SIGNED_OUT", "sign in first");
    vec![
        failing("no failure", "nothing").gives(status(200).with(Body::Exact("fine"))),
        failing("a conflict", "sold").gives(
            declared(409, "SOLD", "already sold")
                .details(json!({"to": "Ann \"<b>\"", "days": [1, 2]})),
        ),
        failing("a challenge", "signed-out")
            .gives(signed_out().has("www-authenticate", Want::Is("Basic realm=\"shop\""))),
        failing("the usual challenge", "expired").gives(
            declared(401, "EXPIRED", "the session has ended")
                .has("www-authenticate", Want::Is("Bearer")),
        ),
        failing("too fast", "too-fast").gives(
            declared(429, "TOO_FAST", "slow down")
                .has("retry-after", Want::Is("7"))
                .has("ratelimit-limit", Want::Is("10")),
        ),
        failing("refused by a breaker", "refused").gives(
            declared(
                503,
                "SERVICE_UNAVAILABLE",
                "Service temporarily unavailable",
            )
            .has("retry-after", Want::Absent),
        ),
        failing("violations", "invalid").gives(
            declared(422, "VALIDATION_ERROR", "Validation failed").details(json!({"errors": [
                {"pointer": "/email", "code": "required", "message": "is required"},
            ]})),
        ),
        Case::new("an erased error", "GET", "/erased/{kind}", "conflict")
            .gives(declared(409, "CONFLICT", "taken").details(json!({"by": ["Ann"]}))),
        Case::new(
            "a typed error, erased",
            "GET",
            "/erased/{kind}",
            "signed-out",
        )
        .gives(signed_out().has("www-authenticate", Want::Is("Basic realm=\"shop\""))),
        Case::new("a post", "POST", "/fail/{kind}", "forbidden")
            .body("text/plain", "x")
            .gives(declared(403, "FORBIDDEN", "not yours")),
    ]
}

/// What a 5xx knows stays here. That no answer has the secret is asserted of every case.
fn secrets() -> Vec<Case> {
    let away = || {
        declared(503, "AWAY", "the calendar is away")
            .logged("calendar at hunter2:5432 is away")
            .has("retry-after", Want::Is("30"))
    };
    let login = || declared(500, "LOGIN", INTERNAL).logged("login as app with hunter2 failed");
    let problem = |code| Shape::Problem(code);
    vec![
        failing("secret: envelope", "login").gives(login()),
        failing("secret: problem", "login")
            .accept("application/problem+json")
            .gives(login().shaped(problem("https://docs.example.com/errors/login"))),
        failing("secret: html", "login")
            .accept("text/html")
            .gives(login().shaped(Shape::Html)),
        failing("secret: of a 503", "away").gives(away()),
        failing("secret: of a 503, problem", "away")
            .accept("application/problem+json")
            .gives(away().shaped(problem("https://docs.example.com/errors/away"))),
        failing("secret: of a 503, html", "away")
            .accept("text/html")
            .gives(away().shaped(Shape::Html)),
        Case::new(
            "secret: an erased source",
            "GET",
            "/erased/{kind}",
            "internal",
        )
        .gives(declared(500, "INTERNAL_ERROR", INTERNAL).logged("hunter2")),
        failing("secret: nobody asks for it in vain", "login")
            .header("X-Debug", "1")
            .header("Debug", "true")
            .header("X-Error-Runtime-Development", "true")
            .gives(login()),
        Case::new(
            "secret: nor by a query",
            "GET",
            "/fail/{kind}",
            "login?debug=true&development=1",
        )
        .gives(login()),
        failing("development: envelope", "login")
            .on(Variant::Development)
            .gives(login().debug("login as app with hunter2 failed")),
        failing("development: problem", "away")
            .on(Variant::Development)
            .accept("application/problem+json")
            .gives(
                away()
                    .shaped(problem("https://docs.example.com/errors/away"))
                    .debug("\"chain\":[\"hunter2\"]"),
            ),
        failing("development: a panic", "panic-str")
            .on(Variant::Development)
            .gives(
                frameworks(500)
                    .from(Origin::Panic)
                    .debug("at the disco with hunter2"),
            ),
        Case::unrouted("development: unrouted", "GET", "/nowhere")
            .on(Variant::Development)
            .gives(frameworks(404).without_route().debug("\"chain\":[]")),
        failing("development: html", "login")
            .on(Variant::Development)
            .accept("text/html")
            .gives(login().shaped(Shape::Html).debug("caused by: hunter2")),
    ]
}

/// Details without measure.
fn sizes() -> Vec<Case> {
    let cut = json!({"first": 1, "truncated": true});
    vec![
        failing("details of 10 MiB", "huge").gives(declared(413, "HUGE", "too much").details(cut)),
        failing("details without an end", "endless")
            // The field alone is left out; those after it stay.
            .gives(
                declared(400, "ENDLESS", "there is no end")
                    .details(json!({"first": 1, "last": 3, "truncated": true})),
            ),
        failing("details beyond a limit of one's own", "sold")
            .on(Variant::Custom)
            .gives(
                declared(409, "SOLD", "already sold")
                    .details(json!({"to": "Ann \"<b>\"", "truncated": true})),
            ),
    ]
}

fn panics() -> Vec<Case> {
    let panic = |name, kind: &'static str, log| {
        failing(name, kind).gives(frameworks(500).from(Origin::Panic).logged(log))
    };
    vec![
        panic(
            "panic: a literal",
            "panic-str",
            "a handler panicked: at the disco with hunter2",
        ),
        panic(
            "panic: a text",
            "panic-string",
            "a handler panicked: at the disco with hunter2",
        ),
        panic("panic: no text", "panic-any", "a panic without a text"),
        panic(
            "panic: its payload panics",
            "panic-drop",
            "a panic without a text",
        ),
        // The message is lost, the rest stands.
        failing("panic: in a message", "display").gives(declared(400, "PANICKING", "Bad Request")),
        failing("panic: in what the log reads", "display-inside")
            .gives(declared(500, "PANICKING_INTERNALLY", INTERNAL).logged("`Display` panicked")),
        panic("hostile reporters: a panic", "panic-str", "at the disco").on(Variant::Hostile),
        failing("hostile reporters: an error", "forbidden")
            .on(Variant::Hostile)
            .gives(declared(403, "FORBIDDEN", "not yours")),
        failing("hostile reporters: no failure", "nothing")
            .on(Variant::Hostile)
            .gives(status(200).with(Body::Exact("fine"))),
        Case::unrouted("hostile reporters: unrouted", "GET", "/nowhere")
            .on(Variant::Hostile)
            .gives(frameworks(404).without_route()),
    ]
}

fn handlers() -> Vec<Case> {
    let nested = |name, kind| Case::new(name, "GET", "/nested/fail/{kind}", kind);
    let inner = |name, kind| Case::new(name, "GET", "/nested/inner/fail/{kind}", kind);
    let number =
        || declared(400, "BAD_REQUEST", "not a number").logged("invalid digit found in string");
    let by_outer = || declared(409, "CONFLICT", "by the outer handler");
    let by_nested = || declared(409, "CONFLICT", "by the nested handler").logged("a clash");
    let outer = || declared(403, "FORBIDDEN", "Access denied").logged("left the shop");
    let page =
        |name, kind, expected: Expected| failing(name, kind).on(Variant::Custom).gives(expected);
    let forbidden = || declared(403, "FORBIDDEN", "not yours");
    vec![
        failing("handler: of the outer edge", "clash").gives(by_outer()),
        nested("handler: the innermost wins", "clash").gives(by_nested()),
        Case::new("handler: of a middleware's error", "GET", "/guarded", "").gives(by_outer()),
        Case::new(
            "handler: of a nested middleware's",
            "GET",
            "/nested/guarded",
            "",
        )
        .gives(by_nested()),
        Case::new(
            "handler: of an erased error",
            "GET",
            "/erased/{kind}",
            "clash",
        )
        .gives(by_outer()),
        failing("handler: that panics", "outer")
            .on(Variant::Custom)
            .gives(declared(410, "OUTER", "left the shop")),
        Case::new("format: that panics", "GET", "/erased/{kind}", "conflict")
            .on(Variant::Custom)
            .gives(
                declared(409, "CONFLICT", "taken")
                    .details(json!({"by": ["Ann"]}))
                    .unvaried(),
            ),
        inner("handler: from further in", "clash").gives(by_nested()),
        nested("handler: of the outer edge, from within", "outer").gives(outer()),
        inner("handler: of the outer edge, from further in", "outer").gives(outer()),
        nested("handler: none", "sold").gives(
            declared(409, "SOLD", "already sold")
                .details(json!({"to": "Ann \"<b>\"", "days": [1, 2]})),
        ),
        nested("handler: of a foreign source", "number").gives(number()),
        inner("handler: of a foreign source, from further in", "number").gives(number()),
        failing("handler: not of another router", "number")
            .gives(declared(500, "NUMBER", INTERNAL).logged("invalid digit found in string")),
        nested("handler: not of a panic", "panic-str").gives(frameworks(500).from(Origin::Panic)),
        failing("handler: of all 404s", "missing")
            .on(Variant::Custom)
            .gives(declared(404, "LOST", "nothing is here").logged("item 7 not found")),
        Case::unrouted("handler: of all 404s, unrouted", "GET", "/nowhere")
            .on(Variant::Custom)
            .gives(answer(404, "LOST", "nothing is here", Origin::Framework).without_route()),
        page(
            "page: by status",
            "forbidden",
            forbidden().shaped(Shape::Page("<h1>Forbidden, by status</h1>")),
        )
        .accept("text/html"),
        page(
            "page: by code",
            "unpaid",
            declared(402, "UNPAID", "pay first").shaped(Shape::Page("<h1>By code: pay first</h1>")),
        )
        .accept("text/html"),
        page(
            "page: that panics",
            "signed-out",
            declared(401, "SIGNED_OUT", "sign in first").shaped(Shape::Html),
        )
        .accept("text/html"),
        page("page: not for who wants no HTML", "forbidden", forbidden()),
    ]
}

/// The headers of a GET, and no body.
fn heads() -> Vec<Case> {
    let head = |name, route, part| Case::new(name, "HEAD", route, part);
    vec![
        head("HEAD: a declared error", "/fail/{kind}", "signed-out").gives(
            declared(401, "SIGNED_OUT", "sign in first")
                .has("www-authenticate", Want::Is("Basic realm=\"shop\"")),
        ),
        head("HEAD: as a page", "/fail/{kind}", "login")
            .accept("text/html")
            .gives(declared(500, "LOGIN", INTERNAL).shaped(Shape::Html)),
        head("HEAD: a panic", "/fail/{kind}", "panic-str")
            .gives(frameworks(500).from(Origin::Panic)),
        head("HEAD: from within", "/fail/{kind}", "clash").gives(declared(
            409,
            "CONFLICT",
            "by the outer handler",
        )),
        Case::unrouted("HEAD: unrouted", "HEAD", "/nowhere").gives(frameworks(404).without_route()),
        head("HEAD: by hand", "/made/{kind}", "json-422").gives(
            status(422)
                .reported(Origin::Response, "VALIDATION_ERROR")
                .has("content-type", Want::Is("application/json"))
                .has("content-length", Want::Is("61")),
        ),
        head(
            "HEAD: a text of the framework's",
            "/made/{kind}",
            "text-500",
        )
        .gives(frameworks(500)),
    ]
}

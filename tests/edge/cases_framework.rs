//! The framework's own failures: routes, methods, extractors, limits, broken bodies, and services that fail.

use error_runtime::Origin;

use crate::case::{Body, Case, Expected, Shape, Want, answer, frameworks, status};
use crate::servers::Variant;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn get(name: &'static str, route: &'static str, part: &str) -> Case {
    Case::new(name, "GET", route, part)
}

fn post(name: &'static str, route: &'static str, kind: &str, body: impl AsRef<[u8]>) -> Case {
    Case::new(name, "POST", route, "").body(kind, body)
}

fn fine(text: &'static str) -> Expected {
    status(200).with(Body::Exact(text))
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = routing();
    cases.extend(extractors());
    cases.extend(bodies());
    cases.extend(services());
    cases.extend(texts());
    cases
}

fn routing() -> Vec<Case> {
    let unrouted = || frameworks(404).without_route();
    vec![
        Case::unrouted("unrouted", "GET", "/nowhere/hunter2").gives(unrouted()),
        Case::unrouted("unrouted: the root", "GET", "/").gives(unrouted()),
        Case::unrouted("unrouted: markup", "GET", "/%3Cscript%3E%00%0d%0a").gives(unrouted()),
        Case::unrouted("unrouted: below a nested router", "GET", "/nested/nowhere")
            .gives(unrouted()),
        Case::unrouted("unrouted: a post", "POST", "/nowhere")
            .body(JSON, "{}")
            .gives(unrouted()),
        Case::unrouted(
            "unrouted: 60 KiB",
            "GET",
            &format!("/{}", "a".repeat(60 << 10)),
        )
        .gives(unrouted()),
        Case::unrouted("unrouted: the server itself", "OPTIONS", "*").gives(unrouted()),
        Case::unrouted(
            "unrouted: an absolute path",
            "GET",
            "http://localhost/hunter2",
        )
        .gives(unrouted()),
        Case::unrouted("unrouted: a method of one's own", "BREW", "/nowhere").gives(unrouted()),
        Case::new("405: a get", "GET", "/json", "")
            .gives(frameworks(405).has("allow", Want::Is("POST"))),
        Case::new("405: a delete", "DELETE", "/json", "")
            .gives(frameworks(405).has("allow", Want::Is("POST"))),
        Case::new("405: OPTIONS", "OPTIONS", "/json", "")
            .gives(frameworks(405).has("allow", Want::Is("POST"))),
        Case::new("405: a method of one's own", "BREW", "/json", "")
            .gives(frameworks(405).has("allow", Want::Is("POST"))),
        Case::new("405: HEAD", "HEAD", "/json", "")
            .gives(frameworks(405).has("allow", Want::Is("POST"))),
    ]
}

fn extractors() -> Vec<Case> {
    const ACTIX_415: &str = "its Json extractor knows no 415";
    let json = |name, body: &'static str| post(name, "/json", JSON, body);
    vec![
        json("json: fine", "{\"count\":3}").gives(fine("3")),
        json("json: no syntax", "{\"count\":").gives(frameworks(400)),
        json("json: empty", "").gives(frameworks(400)),
        json("json: not UTF-8", "{\"count\":3, \"\u{0}").gives(frameworks(400)),
        json("json: a wrong type", "{\"count\":\"hunter2\"}")
            .gives(frameworks(422))
            .differs("its Json extractor tells no syntax from no sense", |_| {
                frameworks(400)
            }),
        json("json: out of range", "{\"count\":300}")
            .gives(frameworks(422))
            .differs("its Json extractor tells no syntax from no sense", |_| {
                frameworks(400)
            }),
        post("json: another type", "/json", "text/plain", "{\"count\":3}")
            .gives(frameworks(415))
            .differs(ACTIX_415, |_| frameworks(400)),
        Case::new("json: nothing at all", "POST", "/json", "")
            .gives(frameworks(415))
            .differs(ACTIX_415, |_| frameworks(400)),
        get("path: fine", "/number/{n}", "7").gives(fine("7")),
        get("path: no number", "/number/{n}", "hunter2")
            .gives(frameworks(400))
            .differs(
                "its Path extractor takes it for a path that is not there",
                |_| frameworks(404),
            ),
        get("path: not UTF-8", "/number/{n}", "%ff")
            .gives(frameworks(400))
            .differs(
                "its Path extractor takes it for a path that is not there",
                |_| frameworks(404),
            ),
        get("query: fine", "/query", "?count=4").gives(fine("4")),
        get("query: none", "/query", "").gives(frameworks(400)),
        get("query: no number", "/query", "?count=hunter2").gives(frameworks(400)),
        post("form: fine", "/form", FORM, "count=5").gives(fine("5")),
        post("form: another type", "/form", JSON, "{}").gives(frameworks(415)),
        post("form: no number", "/form", FORM, "count=hunter2")
            .gives(frameworks(422))
            .differs("its Form extractor tells no syntax from no sense", |_| {
                frameworks(400)
            }),
    ]
}

fn bodies() -> Vec<Case> {
    const MULTIPART: &str = "multipart/form-data; boundary=X";
    let limited = |name, body: &'static str| post(name, "/limited", "text/plain", body);
    vec![
        limited("limit: kept", "0123456789abcdef").gives(fine("16")),
        limited("limit: exceeded", "0123456789abcdefg").gives(frameworks(413)),
        Case::new("limit: exceeded by chunks", "POST", "/limited", "")
            .header("Transfer-Encoding", "chunked")
            .header(
                "X-After",
                "x\r\n\r\n20\r\n0123456789abcdef0123456789abcdef\r\n0\r\nX: y",
            )
            .gives(frameworks(413)),
        post(
            "multipart: fine",
            "/upload",
            MULTIPART,
            "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nfour\r\n--X--\r\n",
        )
        .gives(fine("4")),
        post(
            "multipart: no boundary",
            "/upload",
            "multipart/form-data",
            "x",
        )
        .gives(frameworks(400)),
        post(
            "multipart: garbage",
            "/upload",
            MULTIPART,
            b"\xff\0hunter2".repeat(9),
        )
        .gives(frameworks(400)),
        post(
            "multipart: no end",
            "/upload",
            MULTIPART,
            "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nfour",
        )
        .gives(frameworks(400)),
        post("cut off: json", "/json", JSON, "{\"count\"")
            .cut_off()
            .gives(frameworks(400)),
        post("cut off: bytes", "/limited", "text/plain", "0123")
            .cut_off()
            .gives(frameworks(400))
            .differs("it asks for the declared length before it reads", |_| {
                frameworks(413)
            }),
    ]
}

/// Services whose error no declaration covers: tower's own, behind an `ErrorLayer`; with actix-web the error
/// of a middleware.
fn services() -> Vec<Case> {
    const WHY: &str = "no tower layers: a middleware fails, whose error has a status";
    let failed = |name, route, code| {
        get(name, route, "")
            .gives(frameworks(code).from(Origin::Undeclared))
            .differs(WHY, |expected| {
                expected.from(Origin::Framework).logged("hunter2")
            })
    };
    vec![
        failed("service: late", "/late", 504),
        failed("service: full", "/shed", 503),
        failed("service: broken", "/broken", 500),
        get("stream: to its end", "/stream/{kind}", "ends").gives(fine("first part")),
        get("stream: that breaks off", "/stream/{kind}", "breaks")
            .gives(fine("first part").broken_off().logged("hunter2")),
    ]
}

/// The framework's texts are sent where the application wants them, of a 4xx.
fn texts() -> Vec<Case> {
    const SYNTAX: &str = "Failed to parse the request body as JSON: \
        count: EOF while parsing a value at line 1 column 9";
    let text = |name, part, expected| {
        get(name, "/made/{kind}", part)
            .on(Variant::FrameworkText)
            .gives(expected)
    };
    let json =
        |name, body: &'static str| post(name, "/json", JSON, body).on(Variant::FrameworkText);
    let bad = |message| answer(400, "BAD_REQUEST", message, Origin::Framework);
    vec![
        text(
            "text: of a 404",
            "text-404",
            frameworks(404)
                .message("no table hunter2")
                .logged("no table hunter2"),
        ),
        text(
            "text: not of a 500",
            "text-500",
            frameworks(500).logged("SQL: hunter2"),
        ),
        text("text: none", "empty-418", frameworks(418)),
        text("text: too long", "long-404", frameworks(404)),
        text(
            "text: markup",
            "markup-404",
            frameworks(404).message("no <script>alert(1)</script>\r\n"),
        ),
        text(
            "text: markup in a page",
            "markup-404",
            frameworks(404)
                .message("no <script>alert(1)</script>\r\n")
                .shaped(Shape::Html),
        )
        .accept("text/html"),
        json("text: of an extractor", "{\"count\":")
            .gives(bad(SYNTAX))
            .differs("its own words", |_| {
                bad("Json deserialize error: EOF while parsing a value at line 1 column 9")
            }),
    ]
}

//! `Accept` chooses the format: one failure, asked for in many ways.

use error_runtime::Origin;
use serde_json::json;

use crate::case::{Case, Expected, Shape, answer, declared, frameworks, status};
use crate::servers::Variant;

const DOCS: &str = "https://docs.example.com/errors/item-missing";
const PROBLEM: Shape = Shape::Problem(DOCS);
const BLANK: Shape = Shape::Problem("about:blank");

fn missing() -> Expected {
    declared(404, "ITEM_MISSING", "item 7 not found").details(json!({"id": 7}))
}

/// A declared 404 by what `Accept` says.
fn asked(name: &'static str, accept: &str, shape: Shape) -> Case {
    Case::new(name, "GET", "/fail/{kind}", "missing")
        .accept(accept)
        .gives(missing().shaped(shape))
}

pub(crate) fn cases() -> Vec<Case> {
    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    // Both servers take a head of 64 KiB; neither reads one of 512 KiB.
    let long = |end: &str| format!("{}{end}", "x/y;q=0.1,".repeat(6_552));
    let mut cases = vec![
        Case::new("accept: none", "GET", "/fail/{kind}", "missing").gives(missing()),
        asked("accept: json", "application/json", Shape::Envelope),
        asked("accept: any", "*/*", Shape::Envelope),
        asked("accept: problem", "application/problem+json", PROBLEM),
        asked("accept: html", "text/html", Shape::Html),
        asked("accept: a browser's", BROWSER, Shape::Html),
        asked("accept: any application", "application/*", Shape::Envelope),
        asked("accept: any text", "text/*", Shape::Html),
        asked("accept: in capitals", "APPLICATION/Problem+JSON", PROBLEM),
        asked(
            "accept: problem before json",
            "application/json;q=0.5, application/problem+json;q=0.501",
            PROBLEM,
        ),
        asked(
            "accept: no json",
            "application/json;q=0, */*;q=0.1",
            PROBLEM,
        ),
        asked("accept: everything refused", "*/*;q=0", Shape::Envelope),
        asked("accept: an image", "image/png", Shape::Envelope),
        asked("accept: empty", "", Shape::Envelope),
        asked("accept: nonsense", ",;q=,/;,text", Shape::Envelope),
        asked(
            "accept: a suffix",
            "application/vnd.x+json",
            Shape::Envelope,
        ),
        asked(
            "accept: a comma in quotes",
            "text/html;x=\",\";q=0.1, application/problem+json;q=0.2",
            PROBLEM,
        ),
        asked("accept: 64 KiB", &long("*/*"), Shape::Envelope),
        asked(
            "accept: beyond what is read",
            &long("text/html"),
            Shape::Envelope,
        ),
        asked("accept: two lines", "text/html;q=0.5", PROBLEM)
            .accept("application/problem+json;q=0.6"),
        Case::new("accept: bytes", "GET", "/fail/{kind}", "missing")
            .header("Accept", b"\xff\xfe, text/html")
            .gives(missing().shaped(Shape::Html)),
        Case::new("accept: 512 KiB", "GET", "/fail/{kind}", "missing")
            .accept(&"x/y,".repeat(128 << 10))
            .gives(status(431).by_server()),
        (0..200)
            .fold(
                Case::new("accept: 200 lines", "GET", "/fail/{kind}", "missing"),
                |case, _| case.accept("text/html"),
            )
            .gives(status(431).by_server()),
    ];
    cases.extend(other_failures());
    cases.extend(without_a_choice());
    cases
}

/// Not only declared errors: whatever the edge makes is asked for alike.
fn other_failures() -> Vec<Case> {
    let panicked = || {
        frameworks(500)
            .from(Origin::Panic)
            .logged("at the disco with hunter2")
    };
    let of_panic = |name, accept, shape| {
        Case::new(name, "GET", "/fail/{kind}", "panic-str")
            .accept(accept)
            .gives(panicked().shaped(shape))
    };
    let of_nothing = |name, accept, shape| {
        Case::unrouted(name, "GET", "/nowhere/at/all")
            .accept(accept)
            .gives(frameworks(404).shaped(shape).without_route())
    };
    vec![
        of_nothing("unrouted: problem", "application/problem+json", BLANK),
        of_nothing("unrouted: html", "text/html", Shape::Html),
        of_panic("panic: problem", "application/problem+json", BLANK),
        of_panic("panic: html", "text/html", Shape::Html),
        Case::new("violations: problem", "GET", "/fail/{kind}", "invalid")
            .accept("application/problem+json")
            .gives(
                declared(422, "VALIDATION_ERROR", "Validation failed")
                    .details(json!({"errors": [
                        {"pointer": "/email", "code": "required", "message": "is required"},
                    ]}))
                    .shaped(Shape::Problem(
                        "https://docs.example.com/errors/validation-error",
                    )),
            ),
        Case::new("a script: html", "GET", "/fail/{kind}", "hostile")
            .accept("text/html")
            .gives(declared(400, "HOSTILE", HOSTILE).shaped(Shape::Html)),
        Case::new("a script: envelope", "GET", "/fail/{kind}", "hostile")
            .gives(declared(400, "HOSTILE", HOSTILE)),
    ]
}

const HOSTILE: &str = "no such <script>alert('x') & \"y\"\u{0}\r\n\u{2028}";

/// Where the application has decided, `Accept` has no say, and caches need not know of it.
fn without_a_choice() -> Vec<Case> {
    let on = |name, variant, route| {
        Case::new(name, "GET", route, "missing")
            .accept("text/html")
            .on(variant)
    };
    let lost = || declared(404, "LOST", "nothing is here").logged("item 7 not found");
    vec![
        on("one format for all", Variant::Fixed, "/fail/{kind}")
            .gives(missing().shaped(PROBLEM).unvaried()),
        Case::unrouted("one format for all: unrouted", "GET", "/nowhere")
            .accept("text/html")
            .on(Variant::Fixed)
            .gives(frameworks(404).shaped(BLANK).unvaried().without_route()),
        Case::unrouted("below a path: unrouted", "GET", "/api/nowhere")
            .accept("text/html")
            .on(Variant::Custom)
            .gives(
                answer(404, "LOST", "nothing is here", Origin::Framework)
                    .unvaried()
                    .without_route(),
            ),
        on("below a path", Variant::Custom, "/api/fail/{kind}").gives(lost().unvaried()),
        on("beside a path", Variant::Custom, "/apiary/fail/{kind}")
            .gives(lost().shaped(Shape::Html)),
    ]
}

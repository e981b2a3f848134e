//! Responses that the application makes itself: a body of its own is left alone, a bare text or nothing at all
//! is not.

use error_runtime::Origin;

use crate::case::{Body, Case, Expected, Want, answer, frameworks, status};
use crate::routes::{BARE, HTML_500, JSON_422};
use crate::servers::Variant;

fn made(name: &'static str, kind: &str) -> Case {
    Case::new(name, "GET", "/made/{kind}", kind)
}

/// As it was made, to the byte; reporters are told of its status.
fn own(code: u16, name: &'static str, body: &'static str) -> Expected {
    status(code)
        .with(Body::Exact(body))
        .reported(Origin::Response, name)
        .has("vary", Want::Absent)
        .has("cache-control", Want::Absent)
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        made("by hand: JSON", "json-422").gives(
            own(422, "VALIDATION_ERROR", JSON_422)
                .has("content-type", Want::Is("application/json")),
        ),
        made("by hand: JSON, asked for as a page", "json-422")
            .accept("text/html")
            .gives(own(422, "VALIDATION_ERROR", JSON_422)),
        made("by hand: HTML", "html-500")
            .gives(own(500, "INTERNAL_ERROR", HTML_500).has("content-type", Want::Is("text/html"))),
        made("by hand: a problem", "problem-400").gives(own(400, "BAD_REQUEST", "{}")),
        made("by hand: no type", "bare-500").gives(own(500, "INTERNAL_ERROR", BARE)),
        made("by hand: a type and nothing else", "typed-empty-404").gives(own(
            404,
            "NOT_FOUND",
            "",
        )),
        Case::new(
            "by hand: in a nested router",
            "GET",
            "/nested/made/{kind}",
            "json-422",
        )
        .gives(own(422, "VALIDATION_ERROR", JSON_422)),
        made("text: 404", "text-404").gives(frameworks(404).logged("no table hunter2")),
        made("text: 500", "text-500").gives(frameworks(500).logged("SQL: hunter2")),
        Case::new(
            "text: in a nested router",
            "GET",
            "/nested/made/{kind}",
            "text-500",
        )
        .gives(frameworks(500).logged("SQL: hunter2")),
        made("text: compressed", "gzip-502").gives(
            frameworks(502)
                .has("content-encoding", Want::Absent)
                .has("etag", Want::Absent)
                .has("last-modified", Want::Absent),
        ),
        made("text: compressed, as a page", "gzip-502")
            .accept("text/html")
            .gives(frameworks(502).shaped(crate::case::Shape::Html)),
        made("text: that may be kept", "cached-404").gives(
            frameworks(404)
                .has("cache-control", Want::Is("max-age=60"))
                .has("vary", Want::Are(&["origin, Accept"])),
        ),
        made("text: that varies", "varied-404")
            .gives(frameworks(404).has("vary", Want::Are(&["origin", "Accept"]))),
        // The first attempt at an answer fails; what the response has besides stays.
        made("text: that varies, mapped to what panics", "varied-423")
            .on(Variant::Custom)
            .gives(
                answer(400, "PANICKING", "Bad Request", Origin::Framework)
                    .has("vary", Want::Are(&["origin", "Accept"])),
            ),
        made("empty: 401", "empty-401")
            .gives(frameworks(401).has("www-authenticate", Want::Is("Digest realm=\"x\""))),
        made("empty: 405", "empty-405").gives(frameworks(405).has("allow", Want::Is("GET, PUT"))),
        made("empty: 503", "empty-503").gives(frameworks(503).has("retry-after", Want::Is("120"))),
        made("empty: 418", "empty-418").gives(frameworks(418)),
        made("by hand: no failure", "else").gives(status(200).with(Body::Exact("fine"))),
        made("no content", "no-content").gives(status(204)),
        made("not modified", "not-modified").gives(
            status(304)
                .has("etag", Want::Is("\"v1\""))
                .has("vary", Want::Absent)
                .has("content-type", Want::Absent),
        ),
        made("switching protocols", "switching")
            .header("Connection", "upgrade")
            .header("Upgrade", "chat")
            .gives(
                status(101)
                    .has("upgrade", Want::Is("chat"))
                    .has("content-type", Want::Absent),
            ),
    ]
}

//! Formats, escapes, and answers that survive broken code.

use std::fmt;
use std::sync::Arc;

use error_runtime::format::{HtmlPage, ProblemJson};
use error_runtime::{
    ApiError, FaultPart, RequestContext, RequestId, Violations, http_response, http_response_with,
    render_fault_count,
};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::support::{body, collect_faults, faults, in_every_format, quietly};

#[derive(Debug, ApiError)]
#[api(domain = "rendering", docs = "https://docs.example.com/errors")]
enum Plain {
    #[api(status = 404, message = "no {name}", title = "Not there", details)]
    Missing { name: String },
    #[api(status = 422, code = "VALIDATION_ERROR", message = "wrong", details)]
    Invalid {
        form: &'static str,
        #[api(violations)]
        violations: Violations,
    },
}

fn problem(error: &dyn ApiError) -> Value {
    let response = http_response_with(error, &ProblemJson);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let mut body: Value = serde_json::from_slice(response.body()).unwrap();
    assert!(body["timestamp"].take().is_string());
    body
}

#[derive(Debug, ApiError)]
#[api(status = 400)]
struct Undocumented;

#[test]
fn problem_json_has_the_members_of_rfc_9457() {
    let error = Plain::Missing {
        name: "x".to_owned(),
    };
    assert_eq!(
        problem(&error),
        json!({
            "type": "https://docs.example.com/errors/missing", "title": "Not there", "status": 404, "detail": "no x",
            "code": "MISSING", "details": {"name": "x"}, "timestamp": null, "recoverable": false,
        })
    );
    let id = RequestId::new();
    let with_id = RequestContext::new(id)
        .with_trace_id("4bf9")
        .enter(|| problem(&error));
    assert_eq!(with_id["instance"], format!("urn:uuid:{id}"));
    assert_eq!(
        (&with_id["request_id"], &with_id["trace_id"]),
        (&json!(id.as_str()), &json!("4bf9"))
    );
    let other_id = RequestContext::new("abc").enter(|| problem(&error));
    assert_eq!(other_id["instance"], "urn:request:abc");

    assert_eq!(problem(&Undocumented)["type"], "about:blank");
    assert_eq!(
        problem(&Undocumented)["title"],
        "Undocumented",
        "ours, though the type is blank"
    );
}

#[test]
fn problem_json_sends_violations_apart_from_details() {
    let mut violations = Violations::new();
    violations.add("email", "required", "is required");
    let error = Plain::Invalid {
        form: "signup",
        violations,
    };
    let problem = problem(&error);
    assert_eq!(
        problem["errors"],
        json!([{"pointer": "/email", "code": "required", "message": "is required"}])
    );
    assert_eq!(problem["details"], json!({"form": "signup"}));
    assert_eq!(body(&error)["details"]["errors"], problem["errors"]);
}

#[test]
fn hostile_text_is_escaped_in_every_format() {
    let hostile = "\"}],<script>alert('x')</script>&\\\r\n\u{0}\u{1b}[31m\u{2028}\u{202e}é😀";
    let error = Plain::Missing {
        name: hostile.to_owned(),
    };
    assert_eq!(body(&error)["message"], format!("no {hostile}"));
    assert_eq!(body(&error)["details"]["name"], hostile);
    assert_eq!(problem(&error)["detail"], format!("no {hostile}"));
    let context = RequestContext::new("<b>\"id\"</b>").with_trace_id("</dd>");
    for (format, response) in context.enter(|| in_every_format(&error)) {
        let text = response.body();
        if format == "html" {
            assert!(
                !text.contains("<script>") && !text.contains("<b>") && !text.contains("</dd></dd>"),
                "{text}"
            );
            assert!(text.contains("&lt;script&gt;alert(&#39;x&#39;)"), "{text}");
        } else {
            serde_json::from_str::<Value>(text).unwrap();
        }
    }
}

#[test]
fn pages_of_ones_own_go_by_code_then_by_status() {
    let format = HtmlPage::new()
        .page_for_status(404, |view| format!("status {}", view.status()))
        .page_for_code("MISSING", |view| {
            format!("code {} {}", view.code(), view.message())
        });
    let page = |error: &dyn ApiError| {
        String::from_utf8(http_response_with(error, &format).into_body()).unwrap()
    };
    assert_eq!(
        page(&Plain::Missing {
            name: "x".to_owned()
        }),
        "code MISSING no x"
    );
    assert_eq!(
        page(&*error_runtime::AnyError::not_found("x")),
        "status 404 Not Found"
    );
    let default = page(&*error_runtime::AnyError::conflict("<x>"));
    assert!(
        default.starts_with("<!doctype html>") && default.contains("&lt;x&gt;"),
        "{default}"
    );
    assert!(
        !default.contains("http://") && !default.contains("https://"),
        "self-contained"
    );
}

/// A `Display` or `Serialize` that does what it is told.
#[derive(Debug, Clone, Copy)]
enum Bad {
    Panics,
    Fails,
    Good,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half")?;
        match self {
            Self::Panics => panic!("internal text"),
            Self::Fails => Err(fmt::Error),
            Self::Good => f.write_str(" and half"),
        }
    }
}

impl Serialize for Bad {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Panics => panic!("internal text"),
            Self::Fails => Err(S::Error::custom("internal text")),
            Self::Good => serializer.serialize_str("good"),
        }
    }
}

#[derive(Debug, ApiError)]
#[api(status = 409)]
enum Broken {
    #[api(message = "it is {0}", code = "BROKEN_MESSAGE")]
    Message(Bad),
    #[api(message = "details", code = "BROKEN_DETAILS", details)]
    Details {
        first: u8,
        bad: Bad,
        nested: Vec<Bad>,
        last: u8,
    },
    #[api(message = "flat", code = "BROKEN_FLAT", details)]
    Flat {
        first: u8,
        #[api(detail(flatten))]
        bad: Vec<u8>,
    },
    #[api(message = "header", code = "BROKEN_HEADER")]
    Header(#[api(header = "X-Text")] String),
}

#[test]
fn a_display_that_panics_or_fails_does_not_lose_the_response() {
    collect_faults();
    let before = render_fault_count();
    for bad in [Bad::Panics, Bad::Fails] {
        let answers = quietly(|| in_every_format(&Broken::Message(bad)));
        for (format, response) in answers {
            assert_eq!(response.status(), 409);
            assert!(
                response.body().contains("Conflict"),
                "{format}: {}",
                response.body()
            );
            assert!(
                !response.body().contains("half") && !response.body().contains("internal"),
                "{format}"
            );
        }
    }
    assert_eq!(
        body(&Broken::Message(Bad::Good))["message"],
        "it is half and half"
    );
    let faults = faults("BROKEN_MESSAGE");
    assert_eq!(faults.len(), 6, "one for each answer: {faults:?}");
    assert!(faults.iter().all(|fault| fault.part == FaultPart::Message));
    assert!(faults.iter().any(|fault| fault.reason == "internal text"));
    assert!(render_fault_count() >= before + 6);
}

#[test]
fn a_detail_that_cannot_be_serialised_is_left_out_alone() {
    collect_faults();
    let error = Broken::Details {
        first: 1,
        bad: Bad::Fails,
        nested: vec![Bad::Good, Bad::Fails],
        last: 2,
    };
    assert_eq!(body(&error)["details"], json!({"first": 1, "last": 2}));
    let error = Broken::Details {
        first: 1,
        bad: Bad::Good,
        nested: vec![Bad::Good],
        last: 2,
    };
    assert_eq!(
        body(&error)["details"],
        json!({"first": 1, "bad": "good", "nested": ["good"], "last": 2})
    );
    let error = Broken::Details {
        first: 1,
        bad: Bad::Panics,
        nested: vec![],
        last: 2,
    };
    let answer = quietly(|| body(&error));
    assert_eq!(answer["message"], "details");
    assert!(answer.get("details").is_none(), "{answer}");
    let parts: Vec<_> = faults("BROKEN_DETAILS")
        .into_iter()
        .map(|fault| fault.part)
        .collect();
    let detail = |key: &str| FaultPart::Detail(key.to_owned());
    assert_eq!(parts, [detail("bad"), detail("nested"), FaultPart::Details]);

    let error = Broken::Flat {
        first: 1,
        bad: vec![1],
    };
    assert_eq!(body(&error)["details"], json!({"first": 1}));
    assert_eq!(faults("BROKEN_FLAT").len(), 1);
}

#[test]
fn a_header_with_control_characters_is_refused_and_reported() {
    collect_faults();
    for value in [
        "a\r\nSet-Cookie: x=1",
        "a\nb",
        "\u{0}",
        "\u{7f}",
        "a\u{1b}[31m",
    ] {
        let response = http_response(&Broken::Header(value.to_owned()));
        assert_eq!(response.status(), 409);
        assert!(response.headers().get("x-text").is_none(), "{value:?}");
        assert!(response.headers().get("set-cookie").is_none());
    }
    assert_eq!(
        http_response(&Broken::Header("fine".to_owned())).headers()["x-text"],
        "fine"
    );
    let faults = faults("BROKEN_HEADER");
    assert_eq!(faults.len(), 5);
    assert!(
        faults
            .iter()
            .all(|fault| fault.part == FaultPart::Header("x-text".to_owned()))
    );
}

/// Rendering an error inside the `Display` of another must not disturb it.
#[test]
fn rendering_may_nest() {
    #[derive(Debug)]
    struct Nested;
    impl fmt::Display for Nested {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let inner = http_response(&*error_runtime::AnyError::not_found("inner"));
            write!(f, "{} bytes", inner.body().len())
        }
    }
    #[derive(Debug, ApiError)]
    #[api(status = 400, message = "{0}")]
    struct Outer(Nested);
    let message = body(&Outer(Nested))["message"].as_str().unwrap().to_owned();
    assert!(
        message.ends_with(" bytes") && !message.starts_with('0'),
        "{message}"
    );
}

#[test]
fn contexts_nest_and_end() {
    let outer = RequestContext::new("outer");
    let error = Plain::Missing {
        name: String::new(),
    };
    outer.enter(|| {
        RequestContext::new("inner").enter(|| assert_eq!(body(&error)["request_id"], "inner"));
        assert_eq!(body(&error)["request_id"], "outer");
        let panicked = quietly(|| {
            std::panic::catch_unwind(|| RequestContext::new("lost").enter(|| panic!("x")))
        });
        assert!(panicked.is_err());
        assert_eq!(body(&error)["request_id"], "outer");
    });
    assert!(body(&error).get("request_id").is_none());
}

#[test]
fn a_shared_error_renders_from_many_threads() {
    let error = Arc::new(Plain::Missing {
        name: "x".repeat(20_000),
    });
    let threads: Vec<_> = (0..4)
        .map(|id| {
            let error = Arc::clone(&error);
            std::thread::spawn(move || {
                let context = RequestContext::new(id.to_string());
                for _ in 0..200 {
                    let answer = context.enter(|| body(&*error));
                    assert_eq!(answer["request_id"], id.to_string());
                    assert_eq!(answer["details"]["name"].as_str().unwrap().len(), 20_000);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

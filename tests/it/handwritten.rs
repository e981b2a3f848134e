//! Errors whose `ApiError` is written by hand: what they override is honoured, what they leave out is safe.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use error_runtime::format::{HtmlPage, ProblemJson};
use error_runtime::{
    AnyError, ApiError, Catalog as _, Classify as _, Details, ErrorSpec, FaultPart, Format,
    GrpcCode, HeaderMap, HeaderValue, Level, Outcome, RetryAfterField, StatusCode, StatusField,
    Violation, http_response, http_response_with,
};
use serde_json::json;

use crate::support::{body, collect_faults, faults, in_every_format, quietly};

/// Implements `Display` with a secret and `Error` for a type.
macro_rules! secretive {
    ($($ty:ty),*) => {$(
        impl fmt::Display for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("SECRET hunter2")
            }
        }
        impl Error for $ty {}
    )*};
}

#[derive(Debug, ApiError)]
#[api(
    status = 500,
    code = "DERIVED",
    message = "inner {id}",
    display = "log {id}"
)]
struct Derived {
    id: u64,
}

/// Lends the spec of a derived error, whose message is `Display`.
#[derive(Debug)]
struct Borrowing;

#[derive(Debug)]
struct Overriding;

#[derive(Debug)]
struct Careless;

secretive!(Borrowing, Overriding, Careless);

impl ApiError for Borrowing {
    fn spec(&self) -> &'static ErrorSpec {
        &Derived::SPECS[0]
    }
}

#[test]
fn a_borrowed_spec_does_not_publish_the_display() {
    assert_eq!(Borrowing.message(), "An unexpected error occurred");
    for (format, response) in in_every_format(&Borrowing) {
        assert!(!response.body().contains("SECRET"), "{format}");
        assert!(
            response.body().contains("An unexpected error occurred"),
            "{format}"
        );
    }
}

impl ApiError for Overriding {
    fn spec(&self) -> &'static ErrorSpec {
        static SPEC: ErrorSpec = ErrorSpec::new("hand", "FROM_SPEC", StatusCode::BAD_REQUEST)
            .with_message("from the spec");
        &SPEC
    }
    fn status(&self) -> StatusCode {
        StatusCode::CONFLICT
    }
    fn code(&self) -> &'static str {
        "OVERRIDDEN"
    }
    fn message(&self) -> Cow<'_, str> {
        "overridden".into()
    }
    fn details(&self, out: &mut Details<'_>) {
        out.field("k", "v");
        out.violations(&[Violation::new("a", "b", "c")]);
        out.violations(&[Violation::new("second", "b", "c")]);
    }
    fn headers(&self, out: &mut HeaderMap) {
        out.insert("x-hand", HeaderValue::from_static("1"));
    }
    fn retry_after(&self) -> Option<Duration> {
        Some(Duration::from_secs(3))
    }
    fn is_retryable(&self) -> bool {
        true
    }
    fn is_recoverable(&self) -> bool {
        true
    }
    fn breaker_outcome(&self) -> Outcome {
        Outcome::Neutral
    }
    fn level(&self) -> Level {
        Level::Debug
    }
    fn category(&self) -> &'static str {
        "hand"
    }
    fn grpc_code(&self) -> GrpcCode {
        GrpcCode::DataLoss
    }
}

#[derive(Debug, ApiError)]
enum Wrapper {
    #[api(transparent)]
    Boxed(Box<Overriding>),
    #[api(transparent)]
    Shared(Arc<dyn ApiError + Send + Sync>),
}

#[test]
fn whatever_is_overridden_is_heard_through_every_wrapper() {
    collect_faults();
    let direct: Box<dyn ApiError> = Box::new(Overriding);
    let boxed: Box<dyn ApiError> = Box::new(Wrapper::Boxed(Box::new(Overriding)));
    let shared: Box<dyn ApiError> = Box::new(Wrapper::Shared(Arc::new(Overriding)));
    for error in [&*direct, &*boxed, &*shared, &*AnyError::from(Overriding)] {
        assert_eq!(
            body(error),
            json!({
                "code": "OVERRIDDEN", "message": "overridden", "status": 409, "recoverable": true,
                "details": {"k": "v", "errors": [{"pointer": "/a", "code": "b", "message": "c"}]},
            })
        );
        let problem = http_response_with(error, &ProblemJson);
        let problem: serde_json::Value =
            serde_json::from_slice(problem.body()).expect("valid JSON");
        assert_eq!(problem["errors"].as_array().map(Vec::len), Some(1));
        assert_eq!(http_response(error).headers()["x-hand"], "1");
        let classified = error.classify();
        assert_eq!(
            (classified.retryable, classified.outcome),
            (true, Outcome::Neutral)
        );
        assert_eq!(classified.retry_after, Some(Duration::from_secs(3)));
        assert_eq!(
            (error.level(), error.category(), error.grpc_code()),
            (Level::Debug, "hand", GrpcCode::DataLoss)
        );
    }
    let twice = faults("OVERRIDDEN");
    assert!(
        twice
            .iter()
            .all(|fault| fault.part == FaultPart::Detail("errors".to_owned())),
        "{twice:?}"
    );
    assert!(!twice.is_empty());
}

impl ApiError for Careless {
    fn spec(&self) -> &'static ErrorSpec {
        static SPEC: ErrorSpec = ErrorSpec::new("hand", "CARELESS", StatusCode::UNAUTHORIZED);
        &SPEC
    }
    fn headers(&self, _: &mut HeaderMap) {}
}

#[derive(Debug)]
struct Fine;
secretive!(Fine);
impl ApiError for Fine {
    fn spec(&self) -> &'static ErrorSpec {
        static SPEC: ErrorSpec = ErrorSpec::new("hand", "FINE", StatusCode::OK);
        &SPEC
    }
    fn status(&self) -> StatusCode {
        StatusCode::OK
    }
}

#[test]
fn the_edge_makes_up_for_what_was_forgotten() {
    assert_eq!(
        http_response(&Careless).headers()["www-authenticate"],
        "Bearer"
    );
    assert_eq!(
        http_response(&Fine).status(),
        500,
        "an error never answers 200"
    );
    assert_eq!(body(&Fine)["status"], 500);
}

/// Panics when asked for one thing.
#[derive(Debug)]
struct Panics(&'static str);
secretive!(Panics);

impl Panics {
    fn at(&self, what: &str) {
        assert!(self.0 != what, "SECRET hunter2");
    }
}

impl ApiError for Panics {
    fn spec(&self) -> &'static ErrorSpec {
        static SPEC: ErrorSpec = ErrorSpec::new("hand", "PANICS", StatusCode::UNAUTHORIZED);
        self.at("spec");
        &SPEC
    }
    fn code(&self) -> &'static str {
        self.at("code");
        "PANICS"
    }
    fn message(&self) -> Cow<'_, str> {
        self.at("message");
        "fine".into()
    }
    fn details(&self, out: &mut Details<'_>) {
        out.field("k", "v");
        self.at("details");
    }
    fn is_recoverable(&self) -> bool {
        self.at("recoverable");
        true
    }
    fn retry_after(&self) -> Option<Duration> {
        self.at("retry_after");
        None
    }
}

#[test]
fn an_error_that_panics_is_answered_all_the_same() {
    collect_faults();
    for what in [
        "spec",
        "code",
        "message",
        "details",
        "recoverable",
        "retry_after",
    ] {
        let answers = quietly(|| in_every_format(&Panics(what)));
        for (format, response) in answers {
            let status = if matches!(what, "spec" | "code") {
                500
            } else {
                401
            };
            assert_eq!(response.status(), status, "{what} in {format}");
            assert!(!response.body().contains("SECRET"), "{what} in {format}");
            assert!(!response.body().is_empty(), "{what} in {format}");
            assert_eq!(
                response.headers().contains_key("www-authenticate"),
                status == 401,
                "{what} in {format}"
            );
        }
    }
    let details = faults("PANICS")
        .into_iter()
        .filter(|fault| fault.part == FaultPart::Details)
        .count();
    assert_eq!(details, 2, "one for each format that asks for details");
    assert!(!faults("INTERNAL_ERROR").is_empty());
}

/// A format of one's own that panics.
struct Broken;

impl Format for Broken {
    fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static("text/broken")
    }
    fn write(&self, _: &error_runtime::ErrorView<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"half");
        panic!("SECRET hunter2");
    }
}

#[test]
fn a_format_that_panics_gives_the_envelope() {
    collect_faults();
    let response = quietly(|| http_response_with(&Derived { id: 4 }, &Broken));
    assert_eq!(response.headers()["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(body["error"]["message"], "inner 4");
    assert_eq!(
        faults("DERIVED")
            .iter()
            .filter(|fault| fault.part == FaultPart::Body)
            .count(),
        1
    );
}

/// Field types of the application's own that panic.
#[derive(Debug)]
struct Bomb;

impl StatusField for Bomb {
    fn to_status(&self) -> Option<StatusCode> {
        panic!("SECRET hunter2")
    }
}

impl RetryAfterField for Bomb {
    fn to_retry_after(&self) -> Option<Duration> {
        panic!("SECRET hunter2")
    }
}

impl error_runtime::HeaderField for Bomb {
    fn to_header(&self) -> Option<Result<HeaderValue, error_runtime::InvalidHeaderValue>> {
        panic!("SECRET hunter2")
    }
}

#[derive(Debug, ApiError)]
enum Bombs {
    #[api(status = 404)]
    Status(#[api(status)] Bomb),
    #[api(status = 401, code = "BOMB_WAIT", header("X-A" = "a"))]
    Wait(#[api(retry_after)] Bomb),
    #[api(status = 401, code = "BOMB_HEADER", header("X-A" = "a"))]
    Header(#[api(header = "X-Bomb")] Bomb, #[api(header = "X-B")] u8),
}

#[test]
fn a_field_that_panics_costs_its_part_alone() {
    collect_faults();
    let answer = |error: &Bombs| quietly(|| http_response(error));
    assert_eq!(answer(&Bombs::Status(Bomb)).status(), 500);
    let wait = answer(&Bombs::Wait(Bomb));
    assert_eq!(
        (&wait.headers()["x-a"], &wait.headers()["www-authenticate"]),
        (&"a".parse().unwrap(), &"Bearer".parse().unwrap())
    );
    let header = answer(&Bombs::Header(Bomb, 7));
    assert_eq!(header.headers()["x-b"], "7");
    assert_eq!(header.headers()["www-authenticate"], "Bearer");
    assert!(!header.headers().contains_key("x-bomb"));
    assert_eq!(
        faults("BOMB_HEADER")[0].part,
        FaultPart::Header("x-bomb".to_owned())
    );
}

#[derive(Debug, ApiError)]
#[api(status = 400, details)]
struct Flat {
    #[api(detail(flatten))]
    first: std::collections::BTreeMap<&'static str, u8>,
    #[api(detail(flatten))]
    second: std::collections::BTreeMap<&'static str, u8>,
}

#[test]
fn keys_of_details_are_unique() {
    collect_faults();
    let once = |error: &AnyError, key: &str| {
        let text = String::from_utf8(http_response(&**error).into_body()).unwrap();
        assert_eq!(text.matches(&format!("\"{key}\":")).count(), 1, "{text}");
        body(&**error)["details"][key].clone()
    };
    let error = AnyError::not_found("job")
        .with_detail("resource", "task")
        .with_detail("k", 1)
        .with_detail("k", 2);
    assert_eq!(once(&error, "resource"), "task");
    assert_eq!(once(&error, "k"), 2);
    let error = AnyError::validation(Violation::new("a", "b", "c")).with_detail("errors", 3);
    assert_eq!(once(&error, "errors")[0]["pointer"], "/a");

    let flat = Flat {
        first: [("k", 1)].into(),
        second: [("k", 2), ("l", 3)].into(),
    };
    let flat = AnyError::from(flat);
    assert_eq!(once(&flat, "k"), 1);
    assert_eq!(once(&flat, "l"), 3);

    let unserialisable = AnyError::new(StatusCode::BAD_REQUEST, "NO_VALUE", "m")
        .with_detail("map", std::collections::BTreeMap::from([((1, 2), 3)]));
    assert!(body(&*unserialisable).get("details").is_none());
    assert_eq!(
        faults("NO_VALUE")[0].part,
        FaultPart::Detail("map".to_owned())
    );
}

#[test]
fn any_error_goes_where_errors_go() {
    fn boxed() -> Result<(), Box<dyn Error + Send + Sync>> {
        Err(AnyError::not_found("x"))?;
        Ok(())
    }
    assert_eq!(boxed().unwrap_err().to_string(), "x not found");
    let internal =
        error_runtime::ResultExt::or_internal(Err::<(), _>(AnyError::not_found("x"))).unwrap_err();
    assert_eq!(internal.status(), 500);
}

/// A foreign `Display` whose sources the derive cannot see.
#[derive(Debug, thiserror::Error, ApiError)]
enum Hidden {
    #[error(transparent)]
    #[api(status = 400)]
    Transparent(Borrowing),
}

#[derive(Debug, ApiError)]
#[api(status = 400, impl_error = false)]
struct ByHand(Borrowing);

impl fmt::Display for ByHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed: {}", self.0)
    }
}

impl Error for ByHand {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn a_foreign_display_with_a_hidden_source_is_not_public() {
    for error in [
        &Hidden::Transparent(Borrowing) as &dyn ApiError,
        &ByHand(Borrowing),
    ] {
        assert!(error.to_string().contains("SECRET"));
        assert_eq!(error.message(), "Bad Request");
        for (format, response) in in_every_format(error) {
            assert!(!response.body().contains("SECRET"), "{format}");
        }
    }
}

#[test]
fn an_id_from_outside_is_a_uri_in_problem_json() {
    let context = error_runtime::RequestContext::new("<b>\"'& é");
    let response = context.enter(|| http_response_with(&Derived { id: 1 }, &ProblemJson));
    let problem: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(problem["instance"], "urn:request:%3Cb%3E%22%27%26%20%C3%A9");
    assert_eq!(problem["request_id"], "<b>\"'& é");
}

#[test]
fn a_page_that_panics_gives_the_default_page() {
    collect_faults();
    let format = HtmlPage::new().page_for_code("DERIVED", |_| panic!("SECRET hunter2"));
    let response = quietly(|| http_response_with(&Derived { id: 5 }, &format));
    let page = String::from_utf8(response.into_body()).unwrap();
    assert!(
        page.contains("inner 5") && !page.contains("SECRET"),
        "{page}"
    );
    assert_eq!(
        faults("DERIVED")
            .iter()
            .filter(|fault| fault.part == FaultPart::Page)
            .count(),
        1
    );
}

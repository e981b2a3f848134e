//! Every key of the grammar, on every shape.

#![allow(dead_code, reason = "some fields are there to be kept out")]

use std::backtrace::Backtrace;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use error_runtime::{ApiError, Catalog, Classify, Outcome, StatusCode, Violations, http_response};
use error_runtime::{GrpcCode, Level};
use serde::Serialize;
use serde_json::json;

use crate::support::body;

#[derive(Debug, ApiError)]
#[api(
    domain = "grammar",
    prefix = "G",
    status = 418,
    detail_case = "camelCase",
    docs = "https://e.test/"
)]
enum Keys<'a, T> {
    #[api(
        status = 409,
        code = "DECLARED",
        message = "m {0}",
        display = "d {0:?}",
        title = "A title",
        details,
        retryable,
        breaker = "neutral",
        retry_after = "1.5s",
        recoverable = false,
        header("X-One" = "1"),
        header("X-Two" = "two words"),
        level = "debug",
        category = "performance",
        report,
        grpc = ABORTED,
        docs = "https://other.test/declared"
    )]
    Everything(&'a str, #[api(detail = "renamed")] T, Option<u8>),
    DefaultsOfTheContainer {
        some_field: T,
    },
    #[api(
        details,
        retryable = false,
        breaker = "trip",
        report = false,
        level = "off"
    )]
    Details {
        start_time: u8,
        #[api(skip)]
        _skipped: u8,
        #[api(secret)]
        _secret: String,
        #[api(detail = "snake_name")]
        other: u8,
        source: fmt::Error,
    },
}

#[test]
fn every_variant_key_is_heard() {
    let error = Keys::Everything("x", 7, None);
    assert_eq!(error.to_string(), "d \"x\"");
    assert_eq!(
        body(&error),
        json!({"code": "DECLARED", "message": "m x", "status": 409, "details": {"0": "x", "renamed": 7, "2": null}, "recoverable": false})
    );
    let spec = error.spec();
    assert_eq!(
        (spec.title, spec.docs, spec.domain),
        ("A title", Some("https://other.test/declared"), "grammar")
    );
    let classified = error.classify();
    assert!(classified.retryable && !classified.rejected);
    assert_eq!(classified.outcome, Outcome::Neutral);
    assert_eq!(classified.retry_after, Some(Duration::from_millis(1500)));
    assert_eq!(
        (error.level(), error.category()),
        (Level::Debug, "performance")
    );
    assert_eq!(
        (error.grpc_code(), error.is_reported()),
        (GrpcCode::Aborted, true)
    );
    let response = http_response(&error);
    assert_eq!(response.headers()["x-one"], "1");
    assert_eq!(response.headers()["x-two"], "two words");
    assert_eq!(response.headers()["retry-after"], "2", "rounded up");
}

#[test]
fn containers_give_defaults() {
    let error: Keys<'_, u8> = Keys::DefaultsOfTheContainer { some_field: 1 };
    assert_eq!(
        (error.status(), error.code()),
        (StatusCode::IM_A_TEAPOT, "G_DEFAULTS_OF_THE_CONTAINER")
    );
    assert_eq!(
        error.spec().docs,
        Some("https://e.test/g-defaults-of-the-container")
    );
    assert!(
        body(&error).get("details").is_none(),
        "no details unless declared"
    );
    let error: Keys<'_, u8> = Keys::Details {
        start_time: 1,
        _skipped: 2,
        _secret: "hunter2".to_owned(),
        other: 4,
        source: fmt::Error,
    };
    assert_eq!(
        body(&error)["details"],
        json!({"startTime": 1, "snake_name": 4})
    );
    assert_eq!(
        (error.is_retryable(), error.breaker_outcome()),
        (false, Outcome::Trip)
    );
    assert_eq!((error.is_reported(), error.level()), (false, Level::Off));
    assert!(error.source().is_some());
}

#[derive(Debug, ApiError)]
#[api(
    status = 404,
    message = "job {id} of type {type:>width$} not found",
    details
)]
/// A job
/// that is not there.
struct JobNotFound {
    id: u8,
    r#type: &'static str,
    #[api(skip)]
    width: usize,
}

#[derive(Debug, ApiError)]
#[api(status = 410, message = "{0} is gone", details)]
struct Gone(String);

#[derive(Debug, ApiError)]
#[api(status = 405)]
struct Unit;

#[derive(Debug, ApiError)]
#[api(transparent)]
struct Wrapper(#[from] Gone);

#[derive(Debug, ApiError)]
enum Uninhabited {}

#[test]
fn structs_of_every_shape() {
    let error = JobNotFound {
        id: 1,
        r#type: "render",
        width: 8,
    };
    assert_eq!(error.message(), "job 1 of type   render not found");
    assert_eq!(body(&error)["details"], json!({"id": 1, "type": "render"}));
    assert_eq!(
        (error.code(), error.spec().title),
        ("JOB_NOT_FOUND", "Job not found")
    );
    assert_eq!(
        JobNotFound::SPECS[0].description,
        "A job\nthat is not there."
    );
    assert_eq!(body(&Gone("x".to_owned()))["details"], json!({"0": "x"}));
    assert_eq!(
        (Unit.code(), Unit.message().as_ref()),
        ("UNIT", "Method Not Allowed")
    );
    assert_eq!(Wrapper::from(Gone("y".to_owned())).message(), "y is gone");
    assert!(Wrapper::SPECS.is_empty() && Uninhabited::SPECS.is_empty());
}

#[derive(Debug, ApiError)]
enum Roles {
    #[api(status = 500, details)]
    Upstream {
        #[api(status)]
        status: u16,
        body: String,
    },
    #[api(status = 502, code = "UPSTREAM_TYPED")]
    Typed(#[api(status)] StatusCode),
    #[api(status = 429, message = "slow down", retry_after = "9s")]
    Slow(#[api(retry_after)] Option<Duration>),
    #[api(status = 429, code = "SLOWER", message = "slower")]
    Slower {
        #[api(retry_after, header = "X-Limit-Name")]
        #[api(detail)]
        wait: Wait,
    },
    #[api(status = 426, message = "upgrade", details)]
    Headers {
        #[api(header = "Upgrade")]
        protocol: &'static str,
        #[api(header = "X-Limit", header = "X-Limit-Too")]
        limit: u32,
        #[api(header = "X-None", skip)]
        none: Option<String>,
    },
    #[api(status = 422, code = "VALIDATION_ERROR", message = "wrong", details)]
    Invalid {
        #[api(violations)]
        violations: Violations,
        form: &'static str,
    },
    #[api(status = 500, code = "TRACED")]
    Traced {
        #[from]
        cause: fmt::Error,
        #[backtrace]
        backtrace: Backtrace,
    },
    #[api(status = 500, code = "BOXED")]
    Boxed(#[source] Box<dyn Error + Send + Sync>),
    #[api(status = 500, code = "MAYBE")]
    Maybe {
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

/// A type of the user's own in the roles that take one.
#[derive(Debug, Serialize)]
struct Wait(u64);

impl error_runtime::RetryAfterField for Wait {
    fn to_retry_after(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.0))
    }
}

impl error_runtime::HeaderField for Wait {
    fn to_header(
        &self,
    ) -> Option<Result<error_runtime::HeaderValue, error_runtime::InvalidHeaderValue>> {
        self.0.to_header()
    }
}

#[test]
fn a_dynamic_status_takes_the_defaults_with_it() {
    for (given, status) in [
        (503, 503),
        (404, 404),
        (200, 500),
        (0, 500),
        (999, 500),
        (600, 500),
        (599, 599),
    ] {
        let error = Roles::Upstream {
            status: given,
            body: "b".to_owned(),
        };
        assert_eq!(error.status(), status, "{given}");
        assert_eq!(error.is_retryable(), status == 503);
        assert_eq!(
            error.breaker_outcome(),
            if status >= 500 {
                Outcome::Trip
            } else {
                Outcome::Ok
            }
        );
        assert_eq!(
            error.message(),
            error_runtime::public_message(error.status())
        );
        assert_eq!(error.to_string(), error.message());
        assert_eq!(body(&error)["status"], status);
        assert_eq!(body(&error)["details"], json!({"body": "b"}));
        assert_eq!(error.spec().status, 500);
    }
    let unauthorized = Roles::Typed(StatusCode::UNAUTHORIZED);
    assert_eq!(
        http_response(&unauthorized).headers()["www-authenticate"],
        "Bearer"
    );
    assert_eq!(Roles::Typed(StatusCode::OK).status(), 500);
}

#[test]
fn fields_give_waits_and_headers() {
    let header = |error: &Roles, name: &str| {
        http_response(error)
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(
        header(
            &Roles::Slow(Some(Duration::from_millis(2001))),
            "retry-after"
        )
        .as_deref(),
        Some("3")
    );
    assert_eq!(
        header(&Roles::Slow(Some(Duration::MAX)), "retry-after"),
        Some(u64::MAX.to_string())
    );
    assert_eq!(
        header(&Roles::Slow(None), "retry-after").as_deref(),
        Some("9"),
        "the declared one"
    );
    let slower = Roles::Slower { wait: Wait(4) };
    assert_eq!(header(&slower, "retry-after").as_deref(), Some("4"));
    assert_eq!(header(&slower, "x-limit-name").as_deref(), Some("4"));
    let error = Roles::Headers {
        protocol: "HTTP/3.0",
        limit: 10,
        none: None,
    };
    assert_eq!(header(&error, "upgrade").as_deref(), Some("HTTP/3.0"));
    assert_eq!(header(&error, "x-limit").as_deref(), Some("10"));
    assert_eq!(header(&error, "x-limit-too").as_deref(), Some("10"));
    assert_eq!(header(&error, "x-none"), None);
    assert_eq!(
        body(&error)["details"],
        json!({"protocol": "HTTP/3.0", "limit": 10})
    );
}

#[test]
fn violations_are_errors_in_the_details() {
    let mut violations = Violations::new();
    violations.add("/a~b", "range", "must be < 3");
    let error = Roles::Invalid {
        violations,
        form: "signup",
    };
    assert_eq!(
        body(&error)["details"],
        json!({"form": "signup", "errors": [{"pointer": "/a~b", "code": "range", "message": "must be < 3"}]}),
        "{error:?}"
    );
    let error = Roles::Invalid {
        violations: Violations::new(),
        form: "signup",
    };
    assert_eq!(body(&error)["details"], json!({"form": "signup"}));
}

#[test]
fn sources_and_backtraces_are_found() {
    let traced = Roles::from(fmt::Error);
    assert!(traced.source().is_some() && traced.backtrace().is_some());
    assert!(matches!(traced, Roles::Traced { .. }));
    assert_eq!(Roles::Boxed("x".into()).source().unwrap().to_string(), "x");
    assert!(Roles::Maybe { source: None }.source().is_none());
    assert_eq!(
        Roles::Maybe {
            source: Some("y".into())
        }
        .source()
        .unwrap()
        .to_string(),
        "y"
    );
    assert!(Roles::Slow(None).backtrace().is_none());
}

#[derive(Debug, Serialize)]
struct Extra {
    region: &'static str,
    /// The error has a detail of its own with this name.
    id: u8,
}

#[derive(Debug, ApiError)]
#[api(status = 400, details)]
struct Flat<M: Serialize> {
    id: u8,
    #[api(detail(flatten))]
    extra: Extra,
    #[api(detail(flatten))]
    map: M,
    #[api(detail(flatten))]
    nothing: Option<Extra>,
}

#[test]
fn flattened_entries_stand_beside_declared_ones() {
    let map = BTreeMap::from([("k", 1), ("id", 99)]);
    let error = Flat {
        id: 1,
        extra: Extra {
            region: "eu",
            id: 2,
        },
        map,
        nothing: None,
    };
    assert_eq!(
        body(&error)["details"],
        json!({"id": 1, "region": "eu", "k": 1})
    );
    let text = String::from_utf8(http_response(&error).into_body()).unwrap();
    assert_eq!(text.matches("\"id\"").count(), 1, "{text}");
    let numbers = Flat {
        id: 1,
        extra: Extra {
            region: "eu",
            id: 2,
        },
        map: BTreeMap::from([(5, true)]),
        nothing: None,
    };
    assert_eq!(body(&numbers)["details"]["5"], true);
}

/// Bounds follow from use: `T` is shown, `U` serialised, `V` neither, `S` a source, `A` inner.
#[derive(Debug, ApiError)]
enum Generic<'a, T, U, V, S, A, const N: usize>
where
    V: Copy,
{
    #[api(status = 400, message = "{shown} {shown:?}")]
    Shown { shown: T },
    #[api(status = 400, code = "SERIALISED", details)]
    Serialised(Vec<U>, &'a str),
    #[api(status = 400, code = "NEITHER")]
    Neither([V; N]),
    #[api(status = 500, code = "CAUSED")]
    Caused(#[source] S),
    #[api(transparent)]
    Inner(A),
}

#[test]
fn bounds_are_inferred() {
    type Concrete<'a> = Generic<'a, u8, u8, u8, fmt::Error, Unit, 2>;
    assert_eq!(Concrete::Shown { shown: 1 }.message(), "1 1");
    assert_eq!(
        body(&Concrete::Serialised(vec![1], "s"))["details"],
        json!({"0": [1], "1": "s"})
    );
    assert_eq!(Concrete::Neither([0; 2]).status(), 400);
    assert!(Concrete::Caused(fmt::Error).source().is_some());
    assert_eq!(Concrete::Inner(Unit).code(), "UNIT");
    assert_eq!(Concrete::SPECS.len(), 4);
}

#[derive(Debug, ApiError)]
#[api(status = 409)]
enum Shared {
    #[api(code = "TAKEN", shared_code, message = "the name is taken")]
    Name,
    #[api(code = "TAKEN", shared_code, message = "the e-mail is taken")]
    Email,
    #[cfg(any())]
    #[api(code = "TAKEN")]
    Absent,
}

#[test]
fn codes_may_be_shared_and_variants_left_out() {
    assert_eq!(Shared::Name.code(), Shared::Email.code());
    assert_ne!(Shared::Name.message(), Shared::Email.message());
    assert_eq!(Shared::SPECS.len(), 2);
}

#[derive(Debug, thiserror::Error, ApiError)]
enum BesideThiserror {
    #[error("public {0}")]
    #[api(status = 404)]
    Public(u8),
    #[error("internal {0}")]
    #[api(status = 500)]
    Internal(String),
    #[error("with a source")]
    #[api(status = 404, code = "SOURCED")]
    Sourced(#[from] fmt::Error),
    #[error("with a secret")]
    #[api(status = 404, code = "SECRET")]
    Secret(#[api(secret)] String),
    #[error("for the log {0}")]
    #[api(status = 503, code = "DECLARED", message = "for the client {0}")]
    Declared(u8),
    #[error("dynamic")]
    #[api(status = 404, code = "DYNAMIC")]
    Dynamic(#[api(status)] u16),
    #[error(transparent)]
    #[api(transparent)]
    Inner(#[from] Unit),
}

#[test]
fn a_foreign_display_is_public_only_where_nothing_internal_can_be_in_it() {
    assert_eq!(BesideThiserror::Public(1).message(), "public 1");
    assert_eq!(
        BesideThiserror::Internal("x".to_owned()).message(),
        "An unexpected error occurred"
    );
    assert_eq!(BesideThiserror::from(fmt::Error).message(), "Not Found");
    assert_eq!(
        BesideThiserror::Secret("x".to_owned()).message(),
        "Not Found"
    );
    let declared = BesideThiserror::Declared(3);
    assert_eq!(
        (declared.message().as_ref(), declared.to_string().as_str()),
        ("for the client 3", "for the log 3")
    );
    assert_eq!(body(&declared)["message"], "for the client 3");
    assert_eq!(BesideThiserror::Dynamic(409).message(), "dynamic");
    assert_eq!(
        BesideThiserror::Dynamic(502).message(),
        "An unexpected error occurred"
    );
    assert_eq!(BesideThiserror::from(Unit).code(), "UNIT");
}

#[derive(Debug, snafu::Snafu, ApiError)]
#[api(impl_error = false)]
enum BesideSnafu {
    #[snafu(display("no such {name}"))]
    #[api(status = 404)]
    Missing { name: String },
    #[snafu(display("cannot read {path}"))]
    #[api(status = 500)]
    Read {
        path: String,
        source: std::io::Error,
    },
}

#[test]
fn beside_snafu() {
    use snafu::ResultExt as _;
    let error = MissingSnafu { name: "x" }.build();
    assert_eq!(error.message(), "no such x");
    let error = Err::<(), _>(std::io::Error::other("disk"))
        .context(ReadSnafu { path: "/etc" })
        .unwrap_err();
    assert_eq!(error.message(), "An unexpected error occurred");
    assert!(error.source().is_some());
}

/// Literals that come out of the user's own macro arrive in invisible groups.
macro_rules! declare {
    ($name:ident, $status:literal, $message:expr, $wait:literal) => {
        #[derive(Debug, ApiError)]
        #[api(status = $status, message = $message, retry_after = $wait)]
        struct $name;
    };
}
declare!(FromMacro, 503, "away", "2s");

#[test]
fn literals_may_come_from_a_macro() {
    assert_eq!(
        (FromMacro.status(), FromMacro.message().as_ref()),
        (StatusCode::SERVICE_UNAVAILABLE, "away")
    );
    assert_eq!(FromMacro.retry_after(), Some(Duration::from_secs(2)));
}

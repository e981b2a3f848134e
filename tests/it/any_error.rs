//! `AnyError` and the extension traits.

use std::time::Duration;

use error_runtime::{
    AnyError, Classify, OptionExt, Outcome, ResultExt, StatusCode, Violation, http_response,
};
use serde_json::json;

use crate::derive::MeetingError;
use crate::support::body;

#[test]
fn a_declared_error_stays_what_it_is() {
    fn handler() -> Result<(), AnyError> {
        Err(MeetingError::NotFound { id: 7 })?;
        Ok(())
    }
    let error = handler().unwrap_err();
    assert_eq!(body(&*error), body(&MeetingError::NotFound { id: 7 }));
    assert_eq!(error.to_string(), "meeting 7 not found");
    assert_eq!(error.spec().name, "NotFound");
    assert!(matches!(
        error.downcast_ref(),
        Some(MeetingError::NotFound { id: 7 })
    ));
    assert!(error.downcast_ref::<std::fmt::Error>().is_none());
    let error = error.downcast::<std::fmt::Error>().unwrap_err();
    assert!(matches!(
        error.downcast::<MeetingError>(),
        Ok(MeetingError::NotFound { id: 7 })
    ));
    let unchanged = AnyError::from(MeetingError::SignedOut).with_detail("x", 1);
    assert!(body(&*unchanged).get("details").is_none());
}

#[test]
fn constructors_use_the_envelopes_codes() {
    let rows: [(AnyError, u16, &str, &str); 9] = [
        (
            AnyError::bad_request("no body"),
            400,
            "BAD_REQUEST",
            "no body",
        ),
        (
            AnyError::unauthorized(),
            401,
            "UNAUTHORIZED",
            "Authentication required",
        ),
        (AnyError::forbidden(), 403, "FORBIDDEN", "Access denied"),
        (
            AnyError::not_found("job"),
            404,
            "NOT_FOUND",
            "job not found",
        ),
        (AnyError::conflict("taken"), 409, "CONFLICT", "taken"),
        (
            AnyError::validation(Violation::new("a", "b", "c")),
            422,
            "VALIDATION_ERROR",
            "Validation failed",
        ),
        (
            AnyError::rate_limited(Duration::from_millis(1)),
            429,
            "RATE_LIMITED",
            "Too many requests",
        ),
        (
            AnyError::internal("hunter2"),
            500,
            "INTERNAL_ERROR",
            "An unexpected error occurred",
        ),
        (
            AnyError::unavailable(),
            503,
            "SERVICE_UNAVAILABLE",
            "Service temporarily unavailable",
        ),
    ];
    for (error, status, code, message) in rows {
        assert_eq!(
            (
                error.status().as_u16(),
                error.code(),
                error.message().as_ref()
            ),
            (status, code, message)
        );
        let body = body(&*error);
        assert_eq!(
            (&body["status"], &body["code"], &body["message"]),
            (&json!(status), &json!(code), &json!(message))
        );
        let headers = http_response(&*error).headers().clone();
        assert_eq!(headers.contains_key("www-authenticate"), status == 401);
        assert_eq!(
            headers
                .get("retry-after")
                .map(|value| value.to_str().unwrap()),
            (status == 429).then_some("1")
        );
        let trips = status >= 500;
        assert_eq!(
            error.classify().outcome,
            if trips { Outcome::Trip } else { Outcome::Ok }
        );
        assert_eq!(error.classify().retryable, matches!(status, 429 | 503));
    }
    assert_eq!(
        body(&*AnyError::validation(Violation::new("a", "b", "c")))["details"]["errors"][0]["pointer"],
        "/a"
    );
    assert!(
        http_response(&*AnyError::rate_limited(None))
            .headers()
            .get("retry-after")
            .is_none()
    );
}

#[test]
fn a_status_that_is_no_error_becomes_500() {
    let error = AnyError::new(StatusCode::OK, "FINE", "all is well");
    assert_eq!(
        (error.status(), error.code()),
        (StatusCode::INTERNAL_SERVER_ERROR, "FINE")
    );
}

#[test]
fn extensions_turn_what_is_not_an_api_error() {
    let parsed: Result<u8, _> = "x".parse::<u8>();
    let error = parsed.clone().or_internal().unwrap_err();
    assert_eq!(error.status(), 500);
    assert_eq!(
        error.source().unwrap().to_string(),
        "invalid digit found in string"
    );
    let error = parsed
        .or_status(StatusCode::BAD_REQUEST, "BAD_NUMBER", "not a number")
        .unwrap_err();
    assert_eq!(
        (error.code(), error.message().as_ref()),
        ("BAD_NUMBER", "not a number")
    );
    let error = None::<u8>.or_not_found("job", 7).unwrap_err();
    assert_eq!(
        body(&*error),
        json!({"code": "NOT_FOUND", "message": "job 7 not found", "status": 404, "details": {"resource": "job", "resource_id": "7"}, "recoverable": false})
    );
    assert_eq!(Some(1).or_not_found("job", 7).unwrap(), 1);
    assert_eq!(
        OptionExt::or_internal(None::<u8>).unwrap_err().status(),
        500
    );
    let code = OptionExt::or_status(None::<u8>, StatusCode::GONE, "GONE", "gone").unwrap_err();
    assert_eq!(code.status(), StatusCode::GONE);
}

#[test]
fn hostile_codes_and_details_are_escaped() {
    let error =
        AnyError::new(StatusCode::BAD_REQUEST, "A\"B".to_owned(), "m\n").with_detail("k\"", "v\"");
    assert_eq!(
        body(&*error),
        json!({"code": "A\"B", "message": "m\n", "status": 400, "details": {"k\"": "v\""}, "recoverable": false})
    );
}

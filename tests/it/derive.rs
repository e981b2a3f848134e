//! The contract's own example, and what a declaration implies when it says no more.

use std::error::Error;
use std::time::Duration;

use error_runtime::{
    ApiError, Catalog, Classify, ErrorSpec, GrpcCode, Level, Outcome, StatusCode, http_response,
};
use serde_json::json;

use crate::support::body;

#[derive(Debug, ApiError)]
#[api(domain = "billing")]
pub(crate) enum BillingError {
    #[api(status = 402, message = "pay {amount} first", details)]
    Unpaid { amount: u32 },
}

#[derive(Debug, ApiError)]
#[api(domain = "meetings", docs = "https://docs.example.com/errors")]
pub(crate) enum MeetingError {
    /// No meeting has this id.
    #[api(status = 404, code = "NOT_FOUND", message = "meeting {id} not found")]
    NotFound {
        #[api(detail)]
        id: u64,
    },

    #[api(
        status = 409,
        message = "the time conflicts with existing meetings",
        details
    )]
    MeetingConflict {
        start_time: String,
        end_time: String,
        conflicting_meetings: Vec<u64>,
    },

    #[api(
        status = 401,
        message = "sign in again",
        authenticate = "Bearer",
        category = "security"
    )]
    SignedOut,

    #[api(
        status = 503,
        message = "the calendar is unavailable",
        display = "calendar call failed",
        retry_after = "30s"
    )]
    Calendar(#[from] std::io::Error),

    #[api(transparent)]
    Billing(#[from] BillingError),
}

#[test]
fn a_declared_error_becomes_its_envelope() {
    assert_eq!(
        body(&MeetingError::NotFound { id: 7 }),
        json!({"code": "NOT_FOUND", "message": "meeting 7 not found", "status": 404, "details": {"id": 7}, "recoverable": false})
    );
    let conflict = MeetingError::MeetingConflict {
        start_time: "09:00".to_owned(),
        end_time: "10:00".to_owned(),
        conflicting_meetings: vec![3, 4],
    };
    assert_eq!(
        body(&conflict),
        json!({
            "code": "MEETING_CONFLICT",
            "message": "the time conflicts with existing meetings",
            "status": 409,
            "details": {"start_time": "09:00", "end_time": "10:00", "conflicting_meetings": [3, 4]},
            "recoverable": false,
        })
    );
}

#[test]
fn members_stand_in_the_contracts_order() {
    let context = error_runtime::RequestContext::new("request-1").with_trace_id("trace-1");
    let response = context.enter(|| http_response(&MeetingError::NotFound { id: 7 }));
    let text = String::from_utf8(response.into_body()).unwrap();
    let (before, after) = text.split_once("\"timestamp\":\"").unwrap();
    assert_eq!(
        before,
        r#"{"error":{"code":"NOT_FOUND","message":"meeting 7 not found","status":404,"details":{"id":7},"request_id":"request-1","trace_id":"trace-1","#
    );
    assert_eq!(&after[24..], r#"","recoverable":false}}"#);
    assert!(after[..24].ends_with('Z'), "{after}");
}

#[test]
fn display_is_for_the_log_and_message_for_the_client() {
    let error = MeetingError::from(std::io::Error::other("hunter2"));
    assert_eq!(error.to_string(), "calendar call failed");
    assert_eq!(error.message(), "the calendar is unavailable");
    assert_eq!(error.source().unwrap().to_string(), "hunter2");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
    assert_eq!(http_response(&error).headers()["retry-after"], "30");
    assert_eq!(
        MeetingError::NotFound { id: 7 }.to_string(),
        "meeting 7 not found"
    );
    assert!(MeetingError::SignedOut.source().is_none());
}

#[test]
fn transparent_is_the_inner_error_in_everything() {
    let (inner, outer) = (
        BillingError::Unpaid { amount: 3 },
        MeetingError::from(BillingError::Unpaid { amount: 3 }),
    );
    assert_eq!(outer.to_string(), inner.to_string());
    assert_eq!(body(&outer), body(&inner));
    assert_eq!(
        http_response(&outer).headers(),
        http_response(&inner).headers()
    );
    assert_eq!(outer.spec().domain, "billing");
    assert_eq!(outer.classify(), inner.classify());
    assert_eq!(
        (outer.level(), outer.category(), outer.grpc_code()),
        (inner.level(), inner.category(), inner.grpc_code())
    );
}

#[test]
fn the_catalogue_lists_what_an_enum_declares() {
    let codes: Vec<_> = MeetingError::SPECS.iter().map(|spec| spec.code).collect();
    assert_eq!(
        codes,
        ["NOT_FOUND", "MEETING_CONFLICT", "SIGNED_OUT", "CALENDAR"]
    );
    let spec: &ErrorSpec = &MeetingError::SPECS[0];
    assert_eq!(spec.domain, "meetings");
    assert_eq!(spec.name, "NotFound");
    assert_eq!(spec.title, "Not found");
    assert_eq!(spec.description, "No meeting has this id.");
    assert_eq!(spec.docs, Some("https://docs.example.com/errors/not-found"));
    assert_eq!(spec.message_template, Some("meeting {id} not found"));
    assert_eq!(spec.details, ["id"]);
    assert!(std::ptr::eq(MeetingError::NotFound { id: 1 }.spec(), spec));
}

#[derive(Debug, ApiError)]
enum Bare {
    #[api(status = 400)]
    Bad,
    #[api(status = 408)]
    Slow,
    #[api(status = 429)]
    Many,
    #[api(status = 500)]
    Broken,
    #[api(status = 503)]
    Away,
    #[api(status = TOO_EARLY)]
    Early,
}

#[test]
fn what_is_not_declared_follows_the_status() {
    type Row = (
        Bare,
        u16,
        bool,
        Outcome,
        Level,
        &'static str,
        GrpcCode,
        bool,
    );
    let rows: [Row; 6] = [
        (
            Bare::Bad,
            400,
            false,
            Outcome::Ok,
            Level::Warn,
            "Bad Request",
            GrpcCode::InvalidArgument,
            false,
        ),
        (
            Bare::Slow,
            408,
            true,
            Outcome::Ok,
            Level::Warn,
            "Request Timeout",
            GrpcCode::DeadlineExceeded,
            false,
        ),
        (
            Bare::Many,
            429,
            true,
            Outcome::Ok,
            Level::Warn,
            "Too Many Requests",
            GrpcCode::ResourceExhausted,
            false,
        ),
        (
            Bare::Broken,
            500,
            false,
            Outcome::Trip,
            Level::Error,
            "An unexpected error occurred",
            GrpcCode::Internal,
            true,
        ),
        (
            Bare::Away,
            503,
            true,
            Outcome::Trip,
            Level::Error,
            "Service temporarily unavailable",
            GrpcCode::Unavailable,
            true,
        ),
        (
            Bare::Early,
            425,
            true,
            Outcome::Ok,
            Level::Warn,
            "Too Early",
            GrpcCode::FailedPrecondition,
            false,
        ),
    ];
    for (error, status, retryable, outcome, level, message, grpc, reported) in rows {
        assert_eq!(error.status(), status);
        assert_eq!(error.is_retryable(), retryable, "{status}");
        assert_eq!(error.is_recoverable(), retryable, "{status}");
        assert_eq!(error.classify().retryable, retryable, "{status}");
        assert_eq!(error.breaker_outcome(), outcome, "{status}");
        assert_eq!(error.level(), level, "{status}");
        assert_eq!(error.message(), message, "{status}");
        assert_eq!(error.to_string(), message, "{status}");
        assert_eq!(error.grpc_code(), grpc, "{status}");
        assert_eq!(error.is_reported(), reported, "{status}");
        assert_eq!(error.category(), "app");
        assert_eq!(error.spec().domain, "tests");
        assert!(error.spec().docs.is_none());
    }
}

#[test]
fn the_trait_is_object_safe_and_the_error_is_send() {
    fn thread_safe<T: Send + Sync + 'static>(_: &T) {}
    let error = MeetingError::SignedOut;
    thread_safe(&error);
    let boxed: Box<dyn ApiError + Send + Sync> = Box::new(error);
    assert_eq!(boxed.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(boxed.classify().outcome, Outcome::Ok);
    let shared = std::sync::Arc::new(MeetingError::SignedOut);
    assert_eq!(ApiError::code(&shared), "SIGNED_OUT");
    assert_eq!(
        ApiError::code(&Box::new(MeetingError::SignedOut)),
        "SIGNED_OUT"
    );
}

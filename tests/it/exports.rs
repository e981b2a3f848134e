//! Every name of the contract is importable from the root of the crate.

#[allow(unused_imports, reason = "importing them is the test")]
use error_runtime::{
    AnyError, ApiError, Catalog, Classification, Classify, Details, Envelope, ErrorSpec, Format,
    GrpcCode, HeaderMap, Level, OptionExt, Outcome, Pointer, RequestContext, ResultExt, StatusCode,
    Violation, Violations, catalog, common,
};

/// The codes that nobody declared, as the contract lists them.
#[test]
fn default_codes_are_the_contracts() {
    for (status, code) in [
        (400, "BAD_REQUEST"),
        (401, "UNAUTHORIZED"),
        (402, "PAYMENT_REQUIRED"),
        (403, "FORBIDDEN"),
        (404, "NOT_FOUND"),
        (405, "METHOD_NOT_ALLOWED"),
        (406, "NOT_ACCEPTABLE"),
        (408, "REQUEST_TIMEOUT"),
        (409, "CONFLICT"),
        (410, "GONE"),
        (413, "PAYLOAD_TOO_LARGE"),
        (414, "URI_TOO_LONG"),
        (415, "UNSUPPORTED_MEDIA_TYPE"),
        (422, "VALIDATION_ERROR"),
        (429, "RATE_LIMITED"),
        (500, "INTERNAL_ERROR"),
        (501, "NOT_IMPLEMENTED"),
        (502, "BAD_GATEWAY"),
        (503, "SERVICE_UNAVAILABLE"),
        (504, "GATEWAY_TIMEOUT"),
        (428, "PRECONDITION_REQUIRED"),
        (499, "CLIENT_ERROR"),
        (599, "SERVER_ERROR"),
    ] {
        assert_eq!(
            error_runtime::default_code(StatusCode::from_u16(status).unwrap()),
            code
        );
    }
}

/// `Outcome` is exhaustive: a policy of one's own may match on it.
#[test]
fn outcomes_are_three() {
    let told = |outcome| match outcome {
        Outcome::Trip => "trip",
        Outcome::Ok => "ok",
        Outcome::Neutral => "neutral",
    };
    assert_eq!(told(Outcome::Neutral), "neutral");
}

#[test]
fn transient_io_errors_are_retryable() {
    use std::io::{Error, ErrorKind};
    for (kind, retryable, outcome) in [
        (ErrorKind::ConnectionRefused, true, Outcome::Trip),
        (ErrorKind::ConnectionReset, true, Outcome::Trip),
        (ErrorKind::TimedOut, true, Outcome::Trip),
        (ErrorKind::HostUnreachable, true, Outcome::Trip),
        (ErrorKind::UnexpectedEof, true, Outcome::Trip),
        (ErrorKind::NotFound, false, Outcome::Ok),
        (ErrorKind::AlreadyExists, false, Outcome::Ok),
        (ErrorKind::InvalidInput, false, Outcome::Ok),
        (ErrorKind::PermissionDenied, false, Outcome::Trip),
        (ErrorKind::StorageFull, false, Outcome::Trip),
        (ErrorKind::Other, false, Outcome::Trip),
    ] {
        let classified = Error::from(kind).classify();
        assert_eq!(
            (classified.retryable, classified.outcome),
            (retryable, outcome),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn tokios_errors_are_classified() {
    let elapsed = tokio::time::timeout(std::time::Duration::ZERO, std::future::pending::<()>())
        .await
        .unwrap_err();
    assert_eq!(
        (elapsed.classify().retryable, elapsed.classify().outcome),
        (true, Outcome::Trip)
    );
    let cancelled = tokio::spawn(std::future::pending::<()>());
    cancelled.abort();
    assert_eq!(
        cancelled.await.unwrap_err().classify().outcome,
        Outcome::Neutral
    );
    let full = tokio::sync::Semaphore::new(0);
    assert!(full.try_acquire().unwrap_err().classify().retryable);
    full.close();
    assert!(!full.try_acquire().unwrap_err().classify().retryable);
    assert!(!full.acquire().await.unwrap_err().classify().retryable);
}

//! The ready-made errors.

use std::time::Duration;

use error_runtime::common::{
    AuthenticationError, AuthorizationError, ConflictError, DatabaseError, EmailError,
    ExternalServiceError, FileError, NotFoundError, PaymentError, RateLimitError, RenderingError,
    StorageError, TokenError, ValidationError,
};
use error_runtime::{ApiError, http_response};
use serde_json::{Value, json};

use crate::support::body;

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_has_its_status_code_and_details() {
    let rows: Vec<(Box<dyn ApiError>, u16, &str, Value)> = vec![
        (
            Box::new(AuthenticationError::required()),
            401,
            "UNAUTHORIZED",
            json!(null),
        ),
        (
            Box::new(AuthenticationError::invalid_credentials()),
            401,
            "INVALID_CREDENTIALS",
            json!(null),
        ),
        (
            Box::new(AuthenticationError::account_locked()),
            401,
            "ACCOUNT_LOCKED",
            json!(null),
        ),
        (
            Box::new(TokenError::missing()),
            401,
            "TOKEN_MISSING",
            json!(null),
        ),
        (
            Box::new(TokenError::invalid()),
            401,
            "INVALID_TOKEN",
            json!(null),
        ),
        (
            Box::new(TokenError::expired()),
            401,
            "TOKEN_EXPIRED",
            json!(null),
        ),
        (
            Box::new(TokenError::revoked()),
            401,
            "TOKEN_REVOKED",
            json!(null),
        ),
        (
            Box::new(AuthorizationError::new(["meetings:write"])),
            403,
            "FORBIDDEN",
            json!({"required_permissions": ["meetings:write"]}),
        ),
        (
            Box::new(NotFoundError::new("job", 7)),
            404,
            "NOT_FOUND",
            json!({"resource": "job", "resource_id": "7"}),
        ),
        (
            Box::new(ConflictError::new("taken")),
            409,
            "CONFLICT",
            json!(null),
        ),
        (
            Box::new(ConflictError::already_exists("user", "email")),
            409,
            "ALREADY_EXISTS",
            json!({"resource": "user", "field": "email"}),
        ),
        (
            Box::new(ConflictError::changed_meanwhile("user", 1)),
            409,
            "CHANGED_MEANWHILE",
            json!({"resource": "user", "resource_id": "1"}),
        ),
        (
            Box::new(ValidationError::field("email", "required", "is required")),
            422,
            "VALIDATION_ERROR",
            json!({"errors": [{"pointer": "/email", "code": "required", "message": "is required"}]}),
        ),
        (
            Box::new(PaymentError::required()),
            402,
            "PAYMENT_REQUIRED",
            json!(null),
        ),
        (
            Box::new(PaymentError::declined("no funds")),
            402,
            "PAYMENT_DECLINED",
            json!({"reason": "no funds"}),
        ),
        (
            Box::new(PaymentError::unavailable("x")),
            503,
            "PAYMENT_UNAVAILABLE",
            json!(null),
        ),
        (
            Box::new(FileError::missing()),
            400,
            "FILE_MISSING",
            json!(null),
        ),
        (
            Box::new(FileError::invalid("not a PNG")),
            400,
            "FILE_INVALID",
            json!({"reason": "not a PNG"}),
        ),
        (
            Box::new(FileError::too_large(12, 10)),
            413,
            "FILE_TOO_LARGE",
            json!({"size": 12, "max_size": 10}),
        ),
        (
            Box::new(FileError::unsupported_type("text/x", ["image/png"])),
            415,
            "FILE_UNSUPPORTED_TYPE",
            json!({"content_type": "text/x", "allowed_types": ["image/png"]}),
        ),
        (
            Box::new(RateLimitError::new(Duration::from_secs(3)).with_limit(9)),
            429,
            "RATE_LIMITED",
            json!({"limit": 9}),
        ),
        (
            Box::new(RenderingError::failed("x")),
            500,
            "RENDERING_FAILED",
            json!(null),
        ),
        (
            Box::new(RenderingError::timeout(Duration::from_secs(60))),
            500,
            "RENDERING_TIMEOUT",
            json!({"limit_seconds": 60}),
        ),
        (
            Box::new(RenderingError::resource("GPU")),
            500,
            "RENDERING_RESOURCE",
            json!(null),
        ),
        (
            Box::new(ExternalServiceError::unavailable("s")),
            503,
            "EXTERNAL_SERVICE_UNAVAILABLE",
            json!(null),
        ),
        (
            Box::new(ExternalServiceError::timeout("s")),
            504,
            "EXTERNAL_SERVICE_TIMEOUT",
            json!(null),
        ),
        (
            Box::new(ExternalServiceError::bad_answer("s")),
            502,
            "EXTERNAL_SERVICE_BAD_ANSWER",
            json!(null),
        ),
        (
            Box::new(StorageError::unavailable("put", "x")),
            503,
            "STORAGE_UNAVAILABLE",
            json!(null),
        ),
        (
            Box::new(StorageError::failed("put", "x")),
            500,
            "STORAGE_FAILED",
            json!(null),
        ),
        (
            Box::new(StorageError::full()),
            507,
            "STORAGE_FULL",
            json!(null),
        ),
        (
            Box::new(EmailError::unavailable("x")),
            503,
            "EMAIL_UNAVAILABLE",
            json!(null),
        ),
        (
            Box::new(EmailError::invalid_recipient("a@b")),
            422,
            "EMAIL_INVALID_RECIPIENT",
            json!(null),
        ),
        (
            Box::new(DatabaseError::failed("insert", "x")),
            500,
            "DATABASE_ERROR",
            json!(null),
        ),
        (
            Box::new(DatabaseError::unavailable("insert", "x")),
            503,
            "DATABASE_UNAVAILABLE",
            json!(null),
        ),
    ];
    for (error, status, code, details) in rows {
        let body = body(&*error);
        assert_eq!(
            (&body["status"], &body["code"]),
            (&json!(status), &json!(code))
        );
        assert_eq!(
            *body.get("details").unwrap_or(&Value::Null),
            details,
            "{code}"
        );
        assert_eq!(
            http_response(&*error)
                .headers()
                .contains_key("www-authenticate"),
            status == 401,
            "{code}"
        );
        assert!(!error.message().is_empty() && !error.to_string().is_empty());
    }
}

#[test]
fn a_rate_limit_says_when_to_come_back() {
    let response = http_response(&RateLimitError::new(Duration::from_millis(2500)));
    assert_eq!(response.headers()["retry-after"], "3");
}

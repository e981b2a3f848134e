//! What `#[derive(ApiError)]` generates.

use error_runtime::{ApiError, Catalog, Classify, Outcome, StatusCode, http_response};

#[derive(Debug, ApiError)]
#[api(domain = "billing")]
enum BillingError {
    #[api(status = 402, message = "pay {amount} first")]
    Unpaid { amount: u32 },
}

#[derive(Debug, ApiError)]
#[api(domain = "meetings", docs = "https://docs.example.com/errors")]
enum MeetingError {
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

fn body(error: &dyn ApiError) -> serde_json::Value {
    let mut body: serde_json::Value = serde_json::from_slice(http_response(error).body()).unwrap();
    body["error"]["timestamp"].take();
    body
}

#[test]
fn the_contracts_example() {
    let error = MeetingError::NotFound { id: 7 };
    assert_eq!(
        body(&error),
        serde_json::json!({"error":{"code":"NOT_FOUND","message":"meeting 7 not found","status":404,"details":{"id":7},"timestamp":null,"recoverable":false}})
    );
    assert_eq!(error.to_string(), "meeting 7 not found");
    let error = MeetingError::from(std::io::Error::other("hunter2"));
    assert_eq!(error.to_string(), "calendar call failed");
    assert_eq!(error.message(), "the calendar is unavailable");
    assert_eq!(http_response(&error).headers()["retry-after"], "30");
    assert!(std::error::Error::source(&error).is_some());
    let error = MeetingError::from(BillingError::Unpaid { amount: 3 });
    assert_eq!(
        (error.status(), error.code()),
        (StatusCode::PAYMENT_REQUIRED, "UNPAID")
    );
    assert_eq!(error.to_string(), "pay 3 first");
    assert_eq!(error.classify().outcome, Outcome::Ok);
    assert_eq!(MeetingError::SPECS.len(), 4);
    assert_eq!(
        MeetingError::SPECS[0].description,
        "No meeting has this id."
    );
    assert_eq!(
        MeetingError::SPECS[0].docs,
        Some("https://docs.example.com/errors/not-found")
    );
}

//! The envelope read back by a client.

use error_runtime::{ApiError as _, Envelope, RequestContext, http_response};
use serde_json::json;

use crate::derive::MeetingError;

#[test]
fn what_is_sent_can_be_read() {
    let context = RequestContext::new("id-1").with_trace_id("trace-1");
    let response = context.enter(|| http_response(&MeetingError::NotFound { id: 7 }));
    let envelope: Envelope = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(
        (envelope.code.as_str(), envelope.status),
        ("NOT_FOUND", 404)
    );
    assert_eq!(envelope.message, MeetingError::NotFound { id: 7 }.message());
    assert_eq!(envelope.details["id"], 7);
    assert_eq!(
        (envelope.request_id.as_deref(), envelope.trace_id.as_deref()),
        (Some("id-1"), Some("trace-1"))
    );
    assert!(!envelope.recoverable);
    let again = serde_json::to_vec(&envelope).unwrap();
    assert_eq!(again, *response.body(), "and written back byte for byte");
}

#[test]
fn reading_is_tolerant() {
    let read = |error: serde_json::Value| {
        serde_json::from_value::<Envelope>(json!({"before": [1], "error": error, "after": null}))
    };
    let minimal = read(json!({"code": "X", "message": "m", "status": 400})).unwrap();
    assert!(minimal.details.is_empty() && minimal.request_id.is_none() && !minimal.recoverable);
    let wrong = read(json!({
        "code": "X", "message": "m", "status": 400, "details": [1], "request_id": 5, "trace_id": {},
        "timestamp": false, "recoverable": "yes", "unknown": {"deep": [[]]},
    }))
    .unwrap();
    assert_eq!(wrong, minimal);
    for missing in [
        json!({"message": "m", "status": 400}),
        json!({"code": "X", "status": 400}),
        json!({"code": "X", "message": "m"}),
        json!({"code": 1, "message": "m", "status": 400}),
        json!({"code": "X", "message": "m", "status": "400"}),
        json!({"code": "X", "message": "m", "status": 70_000}),
        json!([]),
    ] {
        assert!(read(missing.clone()).is_err(), "{missing}");
    }
    assert!(serde_json::from_str::<Envelope>("{}").is_err());
    assert!(serde_json::from_str::<Envelope>("\"x\"").is_err());
    assert!(serde_json::from_str::<Envelope>("{\"error\":{\"code\":\"X\"").is_err());
}

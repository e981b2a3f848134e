//! What the tests of several adapters ask of an answer.

use crate::{ApiError, http_response};

/// The violations as they are sent: pointer, code and message. What was submitted, `hunter2`, is
/// in no part of the answer.
pub(super) fn violations_sent(report: &dyn ApiError) -> Vec<[String; 3]> {
    let response = http_response(report);
    assert_eq!(response.status(), 422);
    let body = String::from_utf8(response.into_body()).unwrap();
    assert!(!body.contains("hunter2"), "{body}");
    let body: json::Value = json::from_str(&body).unwrap();
    let error = &body["error"];
    assert_eq!(error["code"], "VALIDATION_ERROR");
    assert_eq!(error["message"], "Validation failed");
    error["details"]["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|violation| {
            assert_eq!(violation.as_object().unwrap().len(), 3, "{violation}");
            ["pointer", "code", "message"].map(|key| violation[key].as_str().unwrap().to_owned())
        })
        .collect()
}

//! How the errors of `serde_json` are answered.

use json::Error;
use json::error::Category;

use crate::{ApiError, ErrorSpec, StatusCode};

static SYNTAX: ErrorSpec = ErrorSpec::new("serde_json", "BAD_REQUEST", StatusCode::BAD_REQUEST)
    .with_name("Syntax")
    .with_message("the request body is not valid JSON");

static DATA: ErrorSpec = ErrorSpec::new("serde_json", "BAD_REQUEST", StatusCode::BAD_REQUEST)
    .with_name("Data")
    .with_message("the request body does not have the expected shape");

static IO: ErrorSpec = ErrorSpec::new(
    "serde_json",
    "INTERNAL_ERROR",
    StatusCode::INTERNAL_SERVER_ERROR,
)
.with_name("Io");

/// The error is taken for one of reading a request's body; its text, which can quote the body,
/// is not sent.
///
/// - Not JSON, or JSON that ends too soon: 400 `BAD_REQUEST`, "the request body is not valid JSON".
/// - JSON of another shape: 400 `BAD_REQUEST`, "the request body does not have the expected shape".
/// - Input or output failed: 500 `INTERNAL_ERROR`.
///
/// JSON that is no request (a file, a column, what another service sent) is not the caller's
/// fault: give its error a variant of your own, or `.or_internal()?`.
impl ApiError for Error {
    fn spec(&self) -> &'static ErrorSpec {
        match self.classify() {
            Category::Syntax | Category::Eof => &SYNTAX,
            Category::Data => &DATA,
            Category::Io => &IO,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use json::from_str;

    use super::*;
    use crate::{AnyError, Classify, Outcome, http_response};

    /// Fails at the first byte.
    struct Broken;

    impl io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("hunter2"))
        }
    }

    #[track_caller]
    fn check(error: &Error, status: u16, code: &str, message: &str) {
        assert_eq!(error.spec().domain, "serde_json");
        let response = http_response(error);
        assert_eq!(response.status(), status);
        let body = String::from_utf8(response.into_body()).unwrap();
        let start = format!(
            "{{\"error\":{{\"code\":\"{code}\",\"message\":\"{message}\",\"status\":{status},\"timestamp\""
        );
        assert!(body.starts_with(&start), "{body}");
        assert!(!body.contains("hunter2"), "{body}");
    }

    #[test]
    fn what_is_no_json_is_a_bad_request() {
        for text in ["{\"hunter2\"", "", "hunter2", "{\"a\":1}}", "[1,"] {
            let error = from_str::<json::Value>(text).unwrap_err();
            check(
                &error,
                400,
                "BAD_REQUEST",
                "the request body is not valid JSON",
            );
            assert_eq!(Classify::classify(&error).outcome, Outcome::Ok);
        }
    }

    #[test]
    fn another_shape_is_a_bad_request() {
        // serde quotes the value in its text.
        let error = from_str::<u8>("\"hunter2\"").unwrap_err();
        assert!(error.to_string().contains("hunter2"), "{error}");
        check(
            &error,
            400,
            "BAD_REQUEST",
            "the request body does not have the expected shape",
        );
    }

    #[test]
    fn failed_input_is_the_servers_fault() {
        let error = json::from_reader::<_, json::Value>(Broken).unwrap_err();
        assert!(error.is_io(), "{error}");
        check(
            &error,
            500,
            "INTERNAL_ERROR",
            "An unexpected error occurred",
        );
        assert_eq!(Classify::classify(&error).outcome, Outcome::Trip);
    }

    #[test]
    fn it_becomes_any_error() {
        fn parse() -> Result<u8, AnyError> {
            Ok(from_str("hunter2")?)
        }
        assert_eq!(parse().unwrap_err().code(), "BAD_REQUEST");
    }
}

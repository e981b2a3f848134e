//! What lies close to a mistake and is none.

use std::time::Duration;

use error_runtime::{ApiError, StatusCode};

#[derive(Debug, ApiError)]
#[api(status = NOT_FOUND, prefix = "JOB_", detail_case = "camelCase", details,)]
enum Values {
    #[api(status = StatusCode::NOT_FOUND)]
    Qualified,
    #[api(status = error_runtime::StatusCode::GONE, code = "OK")]
    FullPath,
    #[api(status = 400u16, level = warn, breaker = neutral, grpc = "ABORTED")]
    Suffix,
    #[api(status = 599, retry_after = "0.5s", retryable = false, report)]
    Edge,
    #[api(code = "AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDEEEEEEEEEEFFFFFFFFFFGGG")]
    SixtyThree,
    #[api(code = "GONE", shared_code)]
    First,
    #[api(code = "GONE", shared_code)]
    Second,
    #[api(message = "{{{0}}} {0:?} {0:>4}", header("X-A" = "1"), header("X-A" = "a\tb"))]
    Escapes(u64),
}

fn main() {
    assert_eq!(Values::Qualified.status(), StatusCode::NOT_FOUND);
    assert_eq!(Values::FullPath.status(), StatusCode::GONE);
    assert_eq!(Values::Suffix.code(), "JOB_SUFFIX");
    assert_eq!(Values::Edge.retry_after(), Some(Duration::from_millis(500)));
}

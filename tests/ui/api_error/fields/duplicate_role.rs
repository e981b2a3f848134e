use error_runtime::ApiError;

use std::backtrace::Backtrace;
use std::time::Duration;

use error_runtime::Violations;

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 404)]
    Two {
        #[api(status)]
        status: u16,
        #[api(status)]
        other_status: u16,
        #[api(retry_after)]
        wait: Duration,
        #[api(retry_after)]
        other_wait: Duration,
        #[api(violations)]
        violations: Violations,
        #[api(violations)]
        other_violations: Violations,
        #[backtrace]
        trace: Backtrace,
        #[backtrace]
        other_trace: Backtrace,
    },
}

fn main() {}

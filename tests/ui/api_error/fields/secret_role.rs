use error_runtime::ApiError;

use std::time::Duration;

use error_runtime::Violations;

#[derive(Debug, ApiError)]
#[api(status = 404)]
struct Error {
    #[api(secret, status)]
    status: u16,
    #[api(retry_after, secret)]
    wait: Duration,
    #[api(secret, violations)]
    violations: Violations,
}

fn main() {}

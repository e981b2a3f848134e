use error_runtime::{ApiError, Violations};

#[derive(Debug, ApiError)]
#[api(status = 422)]
struct Invalid {
    #[api(violations, detail)]
    violations: Violations,
}

fn main() {}

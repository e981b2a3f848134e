use error_runtime::ApiError;

use error_runtime::Violations;

#[derive(Debug, ApiError)]
#[api(status = 422, detail_case = "camelCase")]
enum Error {
    Renamed {
        #[api(detail)]
        id: u64,
        #[api(detail = "id")]
        key: u64,
    },
    RenamedFirst {
        #[api(detail = "id")]
        key: u64,
        #[api(detail)]
        id: u64,
    },
    #[api(details)]
    SameInCamelCase { start_time: u64, startTime: u64 },
    Violations {
        #[api(violations)]
        violations: Violations,
        #[api(detail)]
        errors: u64,
    },
}

fn main() {}

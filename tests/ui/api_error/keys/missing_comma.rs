use error_runtime::ApiError;

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 404 code = "ABSENT")]
    AfterValue,
    #[api(status = 404, retryable breaker = "ok")]
    AfterFlag,
    #[api(status = 404, header("X-A" = "1") title = "Absent")]
    AfterList,
}

fn main() {}

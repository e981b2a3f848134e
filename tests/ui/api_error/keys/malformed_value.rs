use error_runtime::ApiError;

#[derive(Debug, ApiError)]
enum Error {
    #[api(status == 1)]
    TwoEquals,
    #[api(status: 404)]
    Colon,
    #[api(status 404)]
    Nothing,
    #[api(status = 404, message "not found")]
    Message,
    #[api(status = 404, code::shared = "A")]
    Path,
    #[api(status = 404, header("X-A" = "1") = 2)]
    List,
    #[api(status = 404, retryable!)]
    Bang,
}

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(details = "all")]
enum Error {
    #[api(status = 503, retryable = "no", recoverable = 1, report = never)]
    Unavailable,
}

fn main() {}

use error_runtime::{ApiError, retry};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
}

#[retry(attempts = 3, attempt_timeout = "2s")]
async fn pay() -> Result<(), Error> {
    Err(Error::Away)
}

fn main() {}

use error_runtime::{ApiError, timeout};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
}

#[timeout("2s")]
async fn pay() -> Result<(), Error> {
    Err(Error::Away)
}

fn main() {}

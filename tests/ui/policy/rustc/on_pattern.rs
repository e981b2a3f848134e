use error_runtime::{ApiError, Rejected, retry};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

#[retry(attempts = 3, on(Err(_)))]
fn pay() -> Result<(), Error> {
    Err(Error::Away)
}

#[retry(attempts = 3, on(Error::Gone))]
async fn later() -> Result<(), Error> {
    Err(Error::Away)
}

fn main() {}

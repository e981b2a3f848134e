use error_runtime::{ApiError, Rejected, circuit_breaker, fallback, retry};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

#[retry(attempts = 3, when = |error| error.status())]
fn pay() -> Result<(), Error> {
    Err(Error::Away)
}

#[fallback(Ok(()), when = |error| error.gone())]
fn refund() -> Result<(), Error> {
    Err(Error::Away)
}

#[circuit_breaker(service = "stripe", when = |result| result.is_err())]
fn ask() -> Result<(), Error> {
    Err(Error::Away)
}

fn main() {}

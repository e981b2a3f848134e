use error_runtime::{ApiError, Rejected, circuit_breaker};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

static STRIPE: &str = "stripe";

#[circuit_breaker(breaker = STRIPE)]
fn pay() -> Result<(), Error> {
    Err(Error::Away)
}

fn main() {}

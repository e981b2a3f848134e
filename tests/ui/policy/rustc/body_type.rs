use error_runtime::{ApiError, Rejected, circuit_breaker, retry};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

#[retry(attempts = 3)]
fn number() -> Result<u64, Error> {
    "one"
}

#[retry(attempts = 3)]
#[circuit_breaker(service = "numbers")]
async fn later() -> Result<u64, Error> {
    let number: u64 = "one";
    Ok(number)
}

#[circuit_breaker(service = "numbers")]
async fn last() -> Result<u64, Error> {
    return 1;
}

#[circuit_breaker(service = "numbers")]
fn nothing() -> Result<u64, Error> {
    number()?;
}

fn main() {}

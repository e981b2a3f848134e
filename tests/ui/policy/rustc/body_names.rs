use error_runtime::{ApiError, Rejected, circuit_breaker};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

#[circuit_breaker(service = "stripe")]
async fn call(key: &str) -> Result<usize, Error> {
    let length = key.len();
    length.unknown();
    Ok(length)
}

#[circuit_breaker(service = "stripe")]
async fn nothing(key: &str) -> Result<usize, Error> {
    key.len();
}

fn main() {}

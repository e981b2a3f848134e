use error_runtime::{ApiError, Rejected, circuit_breaker, retry};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

#[retry(crate = error_runtime, attempts = 3)]
#[circuit_breaker(service = "stripe")]
async fn call() -> Option<u8> {
    None
}

fn main() {}

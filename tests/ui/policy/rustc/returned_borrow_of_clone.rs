use error_runtime::{ApiError, Rejected, retry};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

#[retry(attempts = 3, clone(key))]
fn call(key: String) -> Result<&'static str, Error> {
    Ok(&key)
}

fn main() {}

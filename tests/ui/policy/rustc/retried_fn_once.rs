use error_runtime::{ApiError, Rejected, retry};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

#[retry(attempts = 3)]
fn call(with: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    with()
}

fn main() {}

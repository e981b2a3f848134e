use error_runtime::{ApiError, Rejected, retry};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

fn log(error: &Error) {
    println!("{error}");
}

#[retry(attempts = 3, on_retry = log)]
fn pay() -> Result<(), Error> {
    Err(Error::Away)
}

fn main() {}

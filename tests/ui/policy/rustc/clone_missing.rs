use error_runtime::{ApiError, Rejected, retry};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

struct Token;

#[retry(attempts = 3, clone(token))]
fn pay(token: Token) -> Result<(), Error> {
    drop(token);
    Err(Error::Away)
}

fn main() {}

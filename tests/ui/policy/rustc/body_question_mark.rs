use error_runtime::{ApiError, Rejected, retry};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

#[retry(attempts = 3)]
fn number(text: &str) -> Result<u64, Error> {
    Ok(text.parse::<u64>()?)
}

#[retry(attempts = 3)]
async fn later(text: &str) -> Result<u64, Error> {
    let number = text.parse::<u64>()?;
    Ok(number)
}

fn main() {}

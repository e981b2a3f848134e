use error_runtime::{ApiError, Rejected, fallback, recover};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

#[fallback("none")]
fn name() -> Result<u64, Error> {
    Err(Error::Away)
}

#[fallback(0)]
async fn number() -> Result<u64, Error> {
    Err(Error::Away)
}

#[recover(service = "gcs", fallback = path)]
fn upload(path: &str) -> Result<usize, Error> {
    Ok(path.len())
}

fn main() {}

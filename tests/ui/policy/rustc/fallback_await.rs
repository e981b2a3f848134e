use error_runtime::{ApiError, Rejected, fallback};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

async fn save() -> Result<(), Error> {
    Ok(())
}

#[fallback(save().await)]
fn upload() -> Result<(), Error> {
    Err(Error::Away)
}

fn main() {}

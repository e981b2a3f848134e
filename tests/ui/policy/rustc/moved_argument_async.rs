use error_runtime::{ApiError, Rejected, retry};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

async fn send(text: String) -> Result<(), Error> {
    drop(text);
    Ok(())
}

#[retry(attempts = 3)]
async fn post(text: String) -> Result<(), Error> {
    send(text).await
}

fn main() {}

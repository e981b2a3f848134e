use std::rc::Rc;

use error_runtime::{ApiError, Rejected, retry};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

async fn rest() {}

#[retry(attempts = 3)]
async fn pay() -> Result<(), Error> {
    let held = Rc::new(1);
    rest().await;
    drop(held);
    Err(Error::Away)
}

fn spawn<F: Future + Send>(_: F) {}

fn main() {
    spawn(pay());
}

use error_runtime::timeout as limit;
use error_runtime::{ApiError, Rejected, retry};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503)]
    Busy,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

#[retry(attempts = 3)]
#[limit("2s")]
async fn ask() -> Result<(), Error> {
    Err(Error::Busy)
}

fn main() {
    let _ = ask();
}

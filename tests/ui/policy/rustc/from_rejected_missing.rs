use error_runtime::{ApiError, circuit_breaker};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503)]
    Away,
}

#[circuit_breaker(service = "stripe")]
fn pay() -> Result<(), Error> {
    Err(Error::Away)
}

fn main() {}

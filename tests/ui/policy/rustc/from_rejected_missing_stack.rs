use error_runtime::{ApiError, bulkhead, circuit_breaker, rate_limit, retry, timeout};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503)]
    Away,
}

#[retry(attempts = 3)]
#[circuit_breaker(service = "stripe")]
#[rate_limit(calls = 10)]
#[timeout("2s")]
#[bulkhead(max = 2)]
async fn pay() -> Result<(), Error> {
    Err(Error::Away)
}

fn main() {}

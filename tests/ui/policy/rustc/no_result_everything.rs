use error_runtime::{bulkhead, circuit_breaker, fallback, rate_limit, retry, timeout};

#[fallback(0)]
#[retry(attempts = 3)]
#[circuit_breaker(service = "stripe")]
#[rate_limit(calls = 10)]
#[timeout("2s")]
#[bulkhead(max = 2)]
async fn answer() -> u8 {
    42
}

fn main() {}

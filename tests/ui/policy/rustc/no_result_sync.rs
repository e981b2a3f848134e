use error_runtime::{bulkhead, circuit_breaker, fallback, rate_limit, retry};

#[fallback(0)]
#[retry(attempts = 3)]
#[circuit_breaker(service = "stripe")]
#[rate_limit(calls = 10)]
#[bulkhead(max = 2)]
fn answer() -> u8 {
    42
}

#[fallback(0)]
fn alone() -> u8 {
    42
}

fn main() {}

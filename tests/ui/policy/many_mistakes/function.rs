use error_runtime::{bulkhead, circuit_breaker, fallback, rate_limit, retry, timeout};

#[retry(atempts = 3, base = "200", jitter = "foo", failures = 5, clone(pth))]
#[fallback]
#[circuit_breaker(failure_rate = 1.5, min_calls = 0)]
#[timeout("2 s")]
#[rate_limit(calls = 0)]
#[bulkhead]
async fn upload(path: &str) -> Result<usize, std::io::Error> {
    Ok(path.len())
}

fn main() {}

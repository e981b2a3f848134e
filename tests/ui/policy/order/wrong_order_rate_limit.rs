use error_runtime::{circuit_breaker, rate_limit};

#[rate_limit(calls = 100)]
#[circuit_breaker(service = "stripe")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

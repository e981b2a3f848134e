use error_runtime::{circuit_breaker, retry};

#[circuit_breaker(service = "stripe")]
#[retry(attempts = 3)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

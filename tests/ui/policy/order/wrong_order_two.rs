use error_runtime::{circuit_breaker, retry, timeout};

#[timeout("2s")]
#[circuit_breaker(service = "stripe")]
#[retry]
async fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

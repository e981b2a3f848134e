use error_runtime::{circuit_breaker, recover};

#[recover(service = "gcs", fallback = Ok(()))]
#[circuit_breaker(service = "gcs")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

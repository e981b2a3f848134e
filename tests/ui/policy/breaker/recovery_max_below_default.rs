use error_runtime::circuit_breaker;

#[circuit_breaker(service = "stripe", recovery_max = "30s")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

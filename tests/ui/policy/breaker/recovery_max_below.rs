use error_runtime::circuit_breaker;

#[circuit_breaker(service = "stripe", recovery = "2m", recovery_max = "1m")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

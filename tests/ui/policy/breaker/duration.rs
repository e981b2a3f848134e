use error_runtime::circuit_breaker;

#[circuit_breaker(service = "stripe", recovery = "60")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

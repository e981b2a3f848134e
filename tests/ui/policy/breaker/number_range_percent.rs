use error_runtime::circuit_breaker;

#[circuit_breaker(service = "stripe", failure_rate = "50%")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

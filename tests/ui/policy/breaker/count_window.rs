use error_runtime::circuit_breaker;

#[circuit_breaker(service = "stripe", failure_rate = 0.5, window = 0)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

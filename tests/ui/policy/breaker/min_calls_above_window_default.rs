use error_runtime::circuit_breaker;

#[circuit_breaker(service = "stripe", failure_rate = 0.5, min_calls = 200)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

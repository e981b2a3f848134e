use error_runtime::circuit_breaker;

#[circuit_breaker(service = "stripe", failure_rate = 1.5)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

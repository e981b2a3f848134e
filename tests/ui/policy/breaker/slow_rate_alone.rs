use error_runtime::circuit_breaker;

#[circuit_breaker(service = "stripe", slow_rate = 0.5)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::circuit_breaker;

#[circuit_breaker(service = "stripe", attempts = 3)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

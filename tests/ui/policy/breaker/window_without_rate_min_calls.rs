use error_runtime::circuit_breaker;

#[circuit_breaker(service = "stripe", min_calls = 20)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

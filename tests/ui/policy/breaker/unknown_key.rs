use error_runtime::circuit_breaker;

#[circuit_breaker(servise = "stripe")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

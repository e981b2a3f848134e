use error_runtime::circuit_breaker;

#[circuit_breaker(failures = 5)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

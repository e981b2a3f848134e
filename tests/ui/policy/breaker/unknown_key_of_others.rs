use error_runtime::circuit_breaker;

#[circuit_breaker(name = "stripe", reset_timeout = "60s")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

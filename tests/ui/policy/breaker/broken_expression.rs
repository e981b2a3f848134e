use error_runtime::circuit_breaker;

#[circuit_breaker(service = "stripe", when = |result| match)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

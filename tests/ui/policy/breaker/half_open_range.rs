use error_runtime::circuit_breaker;

#[circuit_breaker(service = "stripe", half_open = 10000)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::circuit_breaker;

#[circuit_breaker(service = "stripe", slow_call = "2sec")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

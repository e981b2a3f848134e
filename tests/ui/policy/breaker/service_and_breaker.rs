use error_runtime::{CircuitBreaker, circuit_breaker};

static STRIPE: CircuitBreaker = CircuitBreaker::const_builder("stripe").build_const();

#[circuit_breaker(service = "stripe", breaker = STRIPE)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

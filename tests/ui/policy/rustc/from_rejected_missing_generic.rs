use error_runtime::{Classify, circuit_breaker};

#[circuit_breaker(service = "stripe")]
fn call<E: Classify>(with: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    with()
}

fn main() {}

use error_runtime::{circuit_breaker, retry};

#[retry(attempts = 3)]
fn answer() -> u8 {
    42
}

#[circuit_breaker(service = "stripe")]
async fn later() -> Option<u8> {
    Some(42)
}

fn main() {}

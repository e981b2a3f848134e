use error_runtime::circuit_breaker;

#[derive(Debug)]
struct QueueFull;

#[circuit_breaker(service = "queue")]
fn push() -> Result<(), QueueFull> {
    Err(QueueFull)
}

fn main() {}

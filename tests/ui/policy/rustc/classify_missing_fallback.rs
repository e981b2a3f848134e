use error_runtime::fallback;

#[derive(Debug)]
struct QueueFull;

#[fallback(Ok(()))]
fn push() -> Result<(), QueueFull> {
    Err(QueueFull)
}

fn main() {}

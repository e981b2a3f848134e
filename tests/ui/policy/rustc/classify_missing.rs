use error_runtime::retry;

#[derive(Debug)]
struct QueueFull;

#[retry(attempts = 3)]
fn push() -> Result<(), QueueFull> {
    Err(QueueFull)
}

#[retry(attempts = 3)]
async fn push_later() -> Result<(), QueueFull> {
    Err(QueueFull)
}

fn main() {}

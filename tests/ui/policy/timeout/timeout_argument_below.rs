use error_runtime::{retry, timeout};

#[retry]
#[timeout(5)]
async fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::{retry, timeout};

#[timeout("2s")]
#[retry]
async fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

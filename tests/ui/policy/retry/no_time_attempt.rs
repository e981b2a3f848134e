use error_runtime::retry;

#[retry(attempt_timeout = "0ms")]
async fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

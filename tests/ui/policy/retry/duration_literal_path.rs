use error_runtime::retry;

#[retry(max_retry_after = Duration::MAX)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

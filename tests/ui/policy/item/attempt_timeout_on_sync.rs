use error_runtime::retry;

#[retry(attempts = 2, attempt_timeout = "2s")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

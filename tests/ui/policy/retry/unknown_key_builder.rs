use error_runtime::retry;

#[retry(max_attempts = 3)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::retry;

#[retry(attempts = -1)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::retry;

#[retry(attempts = 0)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

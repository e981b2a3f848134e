use error_runtime::retry;

#[retry(attempts = 3.5)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

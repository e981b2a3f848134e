use error_runtime::retry;

#[retry(attempts = 3, attempts = 4)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

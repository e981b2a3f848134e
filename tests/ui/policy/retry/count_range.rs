use error_runtime::retry;

#[retry(attempts = 4294967296)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

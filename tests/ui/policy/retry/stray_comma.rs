use error_runtime::retry;

#[retry(attempts = 3,, nested)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

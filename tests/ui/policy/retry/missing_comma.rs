use error_runtime::retry;

#[retry(attempts = 3 base = "1s")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

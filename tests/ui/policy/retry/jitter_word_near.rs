use error_runtime::retry;

#[retry(jitter = "eqaul")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

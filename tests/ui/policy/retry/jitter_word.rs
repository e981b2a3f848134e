use error_runtime::retry;

#[retry(jitter = "foo")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::retry;

#[retry(jitter = 1.5)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

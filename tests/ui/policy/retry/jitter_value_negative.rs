use error_runtime::retry;

#[retry(jitter = -0.1)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::retry;

#[retry(deadline = "0s")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::retry;

#[retry(attempts(3))]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

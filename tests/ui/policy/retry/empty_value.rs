use error_runtime::retry;

#[retry(operation = "")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

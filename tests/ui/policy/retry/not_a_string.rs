use error_runtime::retry;

#[retry(operation = upload)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

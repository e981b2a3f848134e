use error_runtime::retry;

#[retry(base = 200)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

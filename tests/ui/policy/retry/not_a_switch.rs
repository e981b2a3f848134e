use error_runtime::retry;

#[retry(nested = 1)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::retry;

#[retry(failures = 5)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

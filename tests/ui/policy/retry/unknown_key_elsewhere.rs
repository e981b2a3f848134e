use error_runtime::retry;

#[retry(failure = 5)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

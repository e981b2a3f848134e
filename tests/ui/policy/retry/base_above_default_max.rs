use error_runtime::retry;

#[retry(base = "2m")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

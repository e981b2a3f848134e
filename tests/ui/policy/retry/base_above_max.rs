use error_runtime::retry;

#[retry(base = "2s", max = "1s")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

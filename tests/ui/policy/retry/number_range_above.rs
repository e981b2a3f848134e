use error_runtime::retry;

#[retry(factor = 1001)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

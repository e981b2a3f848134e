use error_runtime::retry;

#[retry(factor = 0.5)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

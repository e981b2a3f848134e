use error_runtime::retry;

#[retry(attempts)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

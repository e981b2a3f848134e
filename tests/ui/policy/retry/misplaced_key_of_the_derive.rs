use error_runtime::retry;

#[retry(status = 503)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

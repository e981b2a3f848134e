use error_runtime::retry;

#[retry(3)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

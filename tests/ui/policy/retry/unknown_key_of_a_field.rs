use error_runtime::retry;

#[retry(source)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::retry;

#[retry(on(a + b))]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

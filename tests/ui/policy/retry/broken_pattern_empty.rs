use error_runtime::retry;

#[retry(on())]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::retry;

#[retry(on(Error::Busy | ))]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::retry;

#[retry(when =)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

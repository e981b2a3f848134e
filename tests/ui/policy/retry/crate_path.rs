use error_runtime::retry;

#[retry(crate = 3)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

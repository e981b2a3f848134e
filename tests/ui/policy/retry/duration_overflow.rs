use error_runtime::retry;

#[retry(deadline = "99999999999999999999h")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

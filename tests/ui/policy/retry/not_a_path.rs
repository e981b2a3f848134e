use error_runtime::retry;

#[retry(on_retry = "log")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::retry;

#[retry(max = "500ms")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::recover;

#[recover(service = "gcs", attempt_timeout = "2s", fallback = Ok(()))]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

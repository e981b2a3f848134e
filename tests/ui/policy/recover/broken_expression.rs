use error_runtime::recover;

#[recover(service = "gcs", fallback = if)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

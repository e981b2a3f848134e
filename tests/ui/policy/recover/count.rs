use error_runtime::recover;

#[recover(service = "gcs", attempts = 0, fallback = Ok(()))]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::{fallback, recover};

#[fallback(Ok(()))]
#[recover(service = "gcs", fallback = Ok(()))]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

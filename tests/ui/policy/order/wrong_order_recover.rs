use error_runtime::{recover, timeout};

#[timeout("2s")]
#[recover(service = "gcs", fallback = Ok(()))]
async fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

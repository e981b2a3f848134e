use error_runtime::{recover, retry};

#[retry]
#[recover(service = "gcs", fallback = Ok(()))]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

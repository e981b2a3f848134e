use error_runtime::{recover, retry};

#[recover(service = "gcs", fallback = Ok(()))]
#[retry]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::recover;

#[recover(service = "gcs", attempts = 2)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

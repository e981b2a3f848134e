use error_runtime::recover;

#[recover(service = "gcs", when = |_| true, fallback = Ok(()))]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::retry;

#[retry(jitter = f64::NAN)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

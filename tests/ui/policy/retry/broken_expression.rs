use error_runtime::retry;

#[retry(when = |error| error.)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::retry;

#[retry(when = |_| true, on(_))]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

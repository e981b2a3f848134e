use error_runtime::retry;

#[retry(on(_), when = |_| true)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

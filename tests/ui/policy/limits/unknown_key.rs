use error_runtime::rate_limit;

#[rate_limit(calls = 100, every = "1s")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

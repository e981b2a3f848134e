use error_runtime::rate_limit;

#[rate_limit(calls = 0)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

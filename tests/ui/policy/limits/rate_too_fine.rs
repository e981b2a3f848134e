use error_runtime::rate_limit;

#[rate_limit(calls = 4_000_000_000)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::rate_limit;

#[rate_limit(calls = 100, per = "0s")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::rate_limit;

#[rate_limit(per = "1s")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

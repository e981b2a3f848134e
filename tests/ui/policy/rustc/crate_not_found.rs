use error_runtime::retry;

#[retry(attempts = 3, crate = ::policies)]
fn pay() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

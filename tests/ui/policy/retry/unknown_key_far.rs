use error_runtime::retry;

#[retry(colour = 3)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::retry;

#[retry(clone(name))]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

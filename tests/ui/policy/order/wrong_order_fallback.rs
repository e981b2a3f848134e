use error_runtime::{fallback, retry};

#[retry]
#[fallback(Ok(()))]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

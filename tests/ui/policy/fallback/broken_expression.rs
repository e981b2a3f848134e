use error_runtime::fallback;

#[fallback(Ok(()) else)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::fallback;

#[fallback]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

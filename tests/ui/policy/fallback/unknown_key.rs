use error_runtime::fallback;

#[fallback(Ok(()), wen = |_| true)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::fallback;

#[fallback(when = |_| true)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

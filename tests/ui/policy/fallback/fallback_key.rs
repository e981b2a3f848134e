use error_runtime::fallback;

#[fallback(expression = Ok(()))]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

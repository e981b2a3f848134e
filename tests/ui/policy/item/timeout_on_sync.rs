use error_runtime::timeout;

#[timeout("2s")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

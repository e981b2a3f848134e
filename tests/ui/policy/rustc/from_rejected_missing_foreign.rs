use error_runtime::timeout;

#[timeout("2s")]
async fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

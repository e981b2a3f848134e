use error_runtime::timeout;

#[timeout("0s")]
async fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

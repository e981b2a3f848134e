use error_runtime::timeout;

#[timeout("2")]
async fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::timeout;

#[timeout(Duration::from_secs(2))]
async fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::{bulkhead, timeout};

#[bulkhead(max = 10)]
#[timeout("2s")]
async fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::{bulkhead, timeout};

#[timeout("2s")]
#[inline]
#[bulkhead(max = 1)]
#[error_runtime::timeout("3s")]
async fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::bulkhead;

#[bulkhead]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::bulkhead;

#[bulkhead(10)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

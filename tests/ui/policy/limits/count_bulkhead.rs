use error_runtime::bulkhead;

#[bulkhead(max = 0)]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

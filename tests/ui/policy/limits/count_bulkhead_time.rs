use error_runtime::bulkhead;

#[bulkhead(max = "5s")]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use error_runtime::recover;

#[recover(fallback = Ok(()))]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

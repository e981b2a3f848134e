use error_runtime::recover;

#[recover]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

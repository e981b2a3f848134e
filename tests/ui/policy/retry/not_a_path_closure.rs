use error_runtime::retry;

#[retry(on_retry = |event| println!("{event:?}"))]
fn call() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

use std::future::Future;

use error_runtime::retry;

async fn ask() -> Result<(), std::io::Error> {
    Ok(())
}

#[retry]
fn call() -> impl Future<Output = Result<(), std::io::Error>> {
    ask()
}

fn main() {}

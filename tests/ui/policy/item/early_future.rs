use std::future::Future;
use std::pin::Pin;

use error_runtime::retry;

#[retry]
fn ask(cached: bool) -> Pin<Box<dyn Future<Output = Result<u8, std::io::Error>>>> {
    if cached {
        return Box::pin(async { Ok(1) });
    }
    Box::pin(async move { Ok(2) })
}

fn main() {}

use error_runtime::ApiError;

use std::fmt;

#[derive(Debug)]
struct PlainError;

impl fmt::Display for PlainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain")
    }
}

impl std::error::Error for PlainError {}

#[derive(Debug, ApiError)]
enum Error {
    #[api(transparent)]
    Plain(#[from] PlainError),
}

fn main() {}

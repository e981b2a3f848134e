use error_runtime::ApiError;

// What the switch turns off is not generated either way: no conflicting implementations.
#[derive(Debug, ApiError)]
#[api(status = 404, impl_error = "no")]
struct Error;

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not found")
    }
}

impl std::error::Error for Error {}

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404, impl_eror = false)]
struct Error;

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not found")
    }
}

impl std::error::Error for Error {}

fn object(error: &Error) -> &dyn ApiError {
    error
}

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404, message = "not found")]
struct Error;

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not found")
    }
}

fn main() {}

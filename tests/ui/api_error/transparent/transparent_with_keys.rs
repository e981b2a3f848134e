use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404)]
struct Inner;

#[derive(Debug, ApiError)]
enum Error {
    #[api(transparent, status = 404)]
    Status(Inner),
    #[api(message = "failed", transparent, code = "FAILED")]
    Two(#[from] Inner),
}

#[derive(Debug, ApiError)]
#[api(transparent, retryable)]
struct Struct(Inner);

fn main() {}

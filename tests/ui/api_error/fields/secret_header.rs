use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 401)]
struct Error {
    #[api(secret, header = "X-Key")]
    key: String,
}

fn main() {}

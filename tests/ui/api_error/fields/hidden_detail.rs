use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404, details)]
struct Error {
    #[api(secret, detail)]
    key: String,
    #[api(skip, detail = "cache")]
    cache: u64,
    #[api(detail(flatten), secret)]
    all: Vec<u64>,
}

fn main() {}

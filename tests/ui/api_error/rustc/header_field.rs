use error_runtime::ApiError;

#[derive(Debug)]
struct Limit;

#[derive(Debug, ApiError)]
#[api(status = 429)]
struct Error {
    #[api(header = "X-Limit")]
    limit: Limit,
    #[api(header = "X-Left")]
    left: Vec<u8>,
}

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 500)]
struct Error {
    #[api(retry_after)]
    wait: u64,
}

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 500)]
struct Error {
    #[backtrace]
    trace: String,
}

fn main() {}

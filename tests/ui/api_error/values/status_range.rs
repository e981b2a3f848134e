use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 0)]
enum Error {
    #[api(status = 200)]
    Success,
    #[api(status = 399)]
    Below,
    #[api(status = 600)]
    Above,
    #[api(status = 999)]
    Custom,
    #[api(status = 99999)]
    Overflow,
}

fn main() {}

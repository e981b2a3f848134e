use error_runtime::ApiError;

#[derive(ApiError)]
#[api(status = 404)]
struct Error;

fn main() {}

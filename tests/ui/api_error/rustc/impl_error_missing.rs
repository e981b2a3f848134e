use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404, impl_error = false)]
struct Error;

fn main() {}

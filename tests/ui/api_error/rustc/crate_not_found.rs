use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404, crate = ::errors)]
struct Error;

fn main() {}

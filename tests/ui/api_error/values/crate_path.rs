use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404, crate = 42)]
struct Number;

#[derive(Debug, ApiError)]
#[api(status = 404, crate = "not a path")]
struct Text;

#[derive(Debug, ApiError)]
#[api(status = 404, crate)]
struct Bare;

fn main() {}

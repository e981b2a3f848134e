use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404, header = "X-Name")]
struct Header;

fn main() {}

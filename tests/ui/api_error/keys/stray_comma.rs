use error_runtime::ApiError;

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 404,, code = "ABSENT")]
    Two,
    #[api(, status = 404)]
    First,
}

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
enum Error {
    #[api(404)]
    Number,
    #[api("not found")]
    Text,
    #[api(@ # $)]
    Garbage,
    #[api(status = 404, {})]
    Braces,
}

fn main() {}

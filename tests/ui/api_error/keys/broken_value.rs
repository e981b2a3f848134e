use error_runtime::ApiError;

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = =)]
    Status,
    #[api(status = 404, code = fn)]
    Code,
    #[api(status = 404, message = ;)]
    Message,
    #[api(status => 404)]
    Arrow,
    #[api(status = 404, title = "a" "b")]
    Two,
}

fn main() {}

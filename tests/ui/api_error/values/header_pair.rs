use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 429)]
enum Error {
    #[api(header())]
    Empty,
    #[api(header("X-Limit"))]
    NameOnly,
    #[api(header("X-Limit", "1"))]
    Comma,
    #[api(header("X-Limit" = 1))]
    Number,
    #[api(header("X-Limit" = "1", "X-Left" = "2"))]
    Two,
    #[api(header(X_LIMIT = "1"))]
    Bare,
}

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 401)]
enum Error {
    #[api(header("X-Limit" = "a\r\nSet-Cookie: b"))]
    Newline,
    #[api(header("X-Limit" = "größe"))]
    NonAscii,
    #[api(header("X-Limit" = ""))]
    Empty,
    #[api(header("X-Limit" = " 1 "))]
    Padded,
    #[api(authenticate = "Bearer\n")]
    Authenticate,
}

fn main() {}

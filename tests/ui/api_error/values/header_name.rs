use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 429)]
enum Error {
    #[api(header("X Limit" = "1"))]
    Space,
    #[api(header("" = "1"))]
    Empty,
    #[api(header("X-Größe" = "1"))]
    NonAscii,
    #[api(header("X-Limit:" = "1"))]
    OnField {
        #[api(header = "X Left")]
        left: u32,
    },
}

fn main() {}

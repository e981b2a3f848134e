use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 429)]
enum Error {
    #[api(header("Content-Type" = "text/plain"), header("content-length" = "0"))]
    OnVariant,
    #[api(header("X-Request-ID" = "1"))]
    OnField {
        #[api(header = "Transfer-Encoding")]
        left: u32,
    },
}

fn main() {}

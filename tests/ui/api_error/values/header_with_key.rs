use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 401)]
enum Error {
    #[api(header("Retry-After" = "30"))]
    RetryAfter {
        #[api(header = "retry-after")]
        wait: u32,
    },
    #[api(header("WWW-Authenticate" = "Basic"))]
    Authenticate,
}

fn main() {}

use error_runtime::ApiError;

// Each flag counts all the same: no missing status, no duplicate code.
#[derive(Debug, ApiError)]
enum Error {
    #[api(transparent = true)]
    Inner(Inner),
    #[api(status = 404, code = "ABSENT", shared_code = true)]
    First,
    #[api(status = 404, code = "ABSENT", shared_code)]
    Second {
        #[api(secret = true)]
        key: String,
        #[api(skip = "yes")]
        cache: u8,
        #[api(status = 404)]
        status: u16,
        #[api(retry_after = "30s")]
        wait: std::time::Duration,
    },
}

#[derive(Debug, ApiError)]
#[api(status = 404)]
struct Inner;

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(domain("billing"))]
enum Error {
    #[api(status(404))]
    Status,
    #[api(status = 404, message("{}", id), retryable(false))]
    Message {
        #[api(header("X-Name"))]
        id: u64,
    },
}

fn main() {}

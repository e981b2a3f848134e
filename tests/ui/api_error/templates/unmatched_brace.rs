use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404)]
enum Error {
    #[api(message = "job id} not found")]
    NeverOpened { id: u64 },
    #[api(message = "{id}}")]
    TwiceClosed { id: u64 },
}

fn main() {}

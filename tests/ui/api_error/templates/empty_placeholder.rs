use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404)]
enum Error {
    #[api(message = "job {} not found")]
    Named { id: u64 },
    #[api(message = "job {:?} not found")]
    Debug { id: u64 },
    #[api(display = "job {} not found")]
    Tuple(u64),
    #[api(message = "job {} not found")]
    Unit,
}

fn main() {}

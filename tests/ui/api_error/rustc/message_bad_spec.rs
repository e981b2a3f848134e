use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404)]
enum Error {
    #[api(message = "job {id:y} not found")]
    UnknownTrait { id: u64 },
    #[api(message = "job {id:>>>} not found")]
    Garbage { id: u64 },
}

fn main() {}

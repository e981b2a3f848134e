use error_runtime::ApiError;

#[derive(Debug, ApiError, thiserror::Error)]
enum Error {
    #[error("no job {id}")]
    #[api(status = 404, mesage = "job {id} not found")]
    NotFound { id: u64 },
    #[error(transparent)]
    #[api(status = 500)]
    Io(#[from] std::io::Error),
}

fn read() -> Result<String, Error> {
    Ok(std::fs::read_to_string("settings")?)
}

fn object(error: &Error) -> &dyn ApiError {
    error
}

fn main() {}

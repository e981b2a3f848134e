use error_runtime::{AnyError, ApiError};

#[derive(Debug)]
struct QueueFull;

fn answer(error: &QueueFull) -> &dyn ApiError {
    error
}

fn erase(error: QueueFull) -> AnyError {
    AnyError::from(error)
}

fn question(result: Result<(), QueueFull>) -> Result<(), AnyError> {
    Ok(result?)
}

fn main() {}

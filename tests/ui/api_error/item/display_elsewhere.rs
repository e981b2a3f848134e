use error_runtime::ApiError;

#[derive(Debug, ApiError, thiserror::Error)]
enum WithThiserror {
    #[error("no job {id}")]
    #[api(status = 404, message = "job {id} not found", display = "no job {id}")]
    NotFound { id: u64 },
}

#[derive(Debug, ApiError)]
#[api(status = 404, impl_error = false, display = "no job")]
struct ByHand;

impl std::fmt::Display for ByHand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no job")
    }
}

impl std::error::Error for ByHand {}

fn main() {}

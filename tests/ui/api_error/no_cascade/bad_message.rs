use error_runtime::{AnyError, ApiError, Catalog, Classify};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 400, message = "{}")]
    Invalid {
        #[api(detail)]
        id: u64,
    },
    #[api(status = 500)]
    Io(#[from] std::io::Error),
}

fn parse(text: &str) -> Result<u32, Error> {
    text.parse().map_err(|_| Error::Invalid { id: 7 })
}

fn read() -> Result<String, Error> {
    Ok(std::fs::read_to_string("settings")?)
}

fn boxed() -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    Ok(parse("1")?)
}

fn erased() -> Result<u32, AnyError> {
    Ok(parse("1")?)
}

fn object(error: &Error) -> &dyn ApiError {
    error
}

fn policy(error: &Error) -> bool {
    error.classify().retryable
}

fn listed() -> usize {
    Error::SPECS.len()
}

fn response(error: Error) -> impl axum::response::IntoResponse {
    error
}

fn actix(error: Error) -> actix_web::Error {
    error.into()
}

fn shown(error: &Error) -> String {
    format!("{error} {:?} {}", error.status(), error.message())
}

fn outer(error: Error) -> Outer {
    Outer::from(error)
}

#[derive(Debug, ApiError)]
enum Outer {
    #[api(transparent)]
    Inner(#[from] Error),
}

fn main() {}

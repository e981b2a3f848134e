use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404)]
enum Error {
    #[api(message = "job {id not found")]
    Unclosed { id: u64 },
    #[api(message = "job {id} not found {")]
    AtEnd { id: u64 },
    #[api(display = "a {{ and a {")]
    AfterEscape,
}

fn main() {}

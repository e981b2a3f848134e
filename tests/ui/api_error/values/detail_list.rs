use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404)]
struct Error {
    #[api(detail())]
    empty: u64,
    #[api(detail(flaten))]
    misspelt: u64,
    #[api(detail(flatten, rename))]
    two: u64,
}

fn main() {}

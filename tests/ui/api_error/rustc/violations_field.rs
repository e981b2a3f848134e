use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 422)]
enum Error {
    Text(#[api(violations)] String),
    Numbers {
        #[api(violations)]
        violations: Vec<u8>,
    },
}

fn main() {}

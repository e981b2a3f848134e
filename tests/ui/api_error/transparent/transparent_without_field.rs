use error_runtime::ApiError;

#[derive(Debug, ApiError)]
enum Error {
    #[api(transparent)]
    Unit,
    #[api(transparent)]
    Tuple(),
    #[api(transparent)]
    Named {},
}

#[derive(Debug, ApiError)]
#[api(transparent)]
struct Struct;

fn main() {}

use error_runtime::ApiError;

#[derive(Debug)]
struct NoError;

#[derive(Debug, ApiError)]
enum Error {
    #[api(transparent)]
    Inner(#[from] NoError),
}

#[derive(Debug, ApiError)]
#[api(transparent)]
struct Struct {
    inner: NoError,
}

fn main() {}

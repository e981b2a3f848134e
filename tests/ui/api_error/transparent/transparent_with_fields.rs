use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404)]
struct Inner;

#[derive(Debug, ApiError)]
enum Error {
    #[api(transparent)]
    Tuple(Inner, u64),
    #[api(transparent)]
    Named { inner: Inner, id: u64, name: String },
}

fn main() {}

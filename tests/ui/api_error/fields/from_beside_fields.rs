use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 500)]
enum Error {
    Named {
        #[from]
        source: std::io::Error,
        path: String,
    },
    Tuple(#[from] std::fmt::Error, u64),
}

fn main() {}

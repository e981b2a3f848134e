use error_runtime::{AnyError, ApiError, Catalog, Classify};

#[derive(Debug, ApiError)]
enum Error {
    Invalid {
        #[api(detail)]
        id: u64,
    },
    #[api(status = 500)]
    Io(#[from] std::io::Error),
}

include!("uses.in");

fn main() {}

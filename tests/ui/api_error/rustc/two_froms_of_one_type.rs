use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 500)]
enum Error {
    Read(#[from] std::io::Error),
    Write {
        #[from]
        source: std::io::Error,
    },
}

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 500)]
    Io(
        #[from]
        #[from]
        std::io::Error,
    ),
}

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
enum OnVariant {
    #[from]
    #[api(status = 500)]
    Io(std::io::Error),
}

#[derive(Debug, ApiError)]
#[source]
#[api(status = 500)]
struct OnStruct(std::io::Error);

#[derive(Debug, ApiError)]
#[backtrace]
enum OnEnum {
    #[api(status = 500)]
    Failed,
}

fn main() {}

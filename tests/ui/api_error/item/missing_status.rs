use error_runtime::ApiError;

#[derive(Debug, ApiError)]
enum OnVariant {
    NotFound,
    #[api(code = "GONE")]
    Gone {
        id: u64,
    },
    #[api(status = 400)]
    Fine,
}

#[derive(Debug, ApiError)]
struct OnStruct;

fn main() {}

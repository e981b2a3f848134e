use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api]
enum OnEnum {
    #[api = "not found"]
    OnVariant {
        #[api]
        id: u64,
    },
}

#[derive(Debug, ApiError)]
#[api]
struct OnStruct;

fn main() {}

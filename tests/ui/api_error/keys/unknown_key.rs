use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(domian = "billing")]
enum OnEnum {
    #[api(status = 404, mesage = "not found")]
    OnVariant {
        #[api(detial)]
        id: u64,
    },
}

#[derive(Debug, ApiError)]
#[api(status = 404, retriable)]
struct OnStruct;

fn main() {}

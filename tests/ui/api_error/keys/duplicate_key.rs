use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(domain = "a", domain = "b")]
enum OnEnum {
    #[api(status = 404, code = "ABSENT", status = 410)]
    #[api(code = "GONE")]
    OnVariant {
        #[api(detail, detail = "id")]
        id: u64,
    },
}

#[derive(Debug, ApiError)]
#[api(status = 404, details, details = false)]
struct OnStruct;

fn main() {}

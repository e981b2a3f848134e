use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404, violations)]
struct OnStruct {
    #[api(domain = "billing")]
    id: u64,
}

fn main() {}

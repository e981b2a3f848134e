use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(domain = )]
enum OnEnum {
    #[api(status = )]
    OnVariant {
        #[api(detail = )]
        id: u64,
    },
    #[api(status = 404, code = , message = )]
    Texts,
}

fn main() {}

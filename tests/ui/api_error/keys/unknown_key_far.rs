use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(wibble)]
enum OnEnum {
    #[api(status = 404, wobble = 1)]
    OnVariant {
        #[api(rename = "x")]
        id: u64,
    },
}

fn main() {}

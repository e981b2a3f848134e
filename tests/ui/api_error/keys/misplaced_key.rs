use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(message = "failed", transparent, secret)]
enum OnEnum {
    #[api(status = 404, prefix = "JOB", detail)]
    OnVariant {
        #[api(code = "ID")]
        id: u64,
    },
}

fn main() {}

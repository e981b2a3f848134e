use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(domain, detail_case)]
enum OnEnum {
    #[api(status)]
    Status,
    #[api(status = 404, code, message, title, level, breaker)]
    Texts {
        #[api(header)]
        trace: String,
    },
    #[api(status = 503, retry_after, header, grpc)]
    Others,
}

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(detail_case = "CamelCase")]
enum Error {
    #[api(status = 503, level = "wran", breaker = "open", grpc = "NOT_FUOND")]
    Misspelt,
    #[api(status = 503, level = 3, breaker = true, grpc = 5)]
    Numbers,
    #[api(status = 503, level = "", breaker = Outcome::Trip, grpc = tonic::Code::NotFound)]
    Paths,
    #[api(status = 503, level = "loud", grpc = OK)]
    Far,
}

#[derive(Debug, ApiError)]
#[api(status = 404, detail_case = "kebab-case")]
struct Struct;

fn main() {}

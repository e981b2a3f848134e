use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 503)]
enum Error {
    #[api(retry_after = 30)]
    Number,
    #[api(retry_after = 1.5)]
    Decimal,
    #[api(retry_after = Duration::from_secs(30))]
    Expression,
}

fn main() {}

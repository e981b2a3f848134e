use error_runtime::ApiError;

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = -1)]
    Negative,
    #[api(status = "404")]
    Text,
    #[api(status = 404.0)]
    Decimal,
    #[api(status = 400 + 4)]
    Sum,
    #[api(status = StatusCode::from_u16(404))]
    Call,
    #[api(status = my::codes::NOT_FOUND)]
    Path,
}

fn main() {}

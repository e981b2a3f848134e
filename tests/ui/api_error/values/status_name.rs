use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = NotFound)]
enum Error {
    #[api(status = OK)]
    Success,
    #[api(status = NOT_FUOND)]
    Misspelt,
    #[api(status = StatusCode::NOT_FOND)]
    Qualified,
    #[api(status = MOVED_PERMANENTLY)]
    Redirect,
    #[api(status = not_found)]
    LowerCase,
}

fn main() {}

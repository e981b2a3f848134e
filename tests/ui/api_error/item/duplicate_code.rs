use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404)]
enum Error {
    NotFound,
    #[api(code = "NOT_FOUND")]
    Missing,
    #[api(code = "GONE", shared_code)]
    OnlyOneSaysShared,
    #[api(code = "GONE")]
    TheOtherDoesNot,
    HTTPError,
    HttpError,
}

fn main() {}

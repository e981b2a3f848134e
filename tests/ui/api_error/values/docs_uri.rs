use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(docs = "errors.html", status = 404)]
enum Error {
    #[api(docs = "https:")]
    SchemeOnly,
    #[api(docs = "/errors/gone")]
    Relative,
    #[api(docs = "")]
    Empty,
}

#[derive(Debug, ApiError)]
#[api(docs = "docs.example.com", status = 404)]
struct Struct;

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404)]
enum Error {
    #[api(docs = "https://docs.example.com/a b")]
    Space,
    #[api(docs = "https://docs.example.com/größe")]
    NonAscii,
    #[api(docs = "https://docs.example.com/<id>")]
    Angle,
    #[api(docs = "https://docs.example.com/a\nb")]
    Newline,
}

fn main() {}

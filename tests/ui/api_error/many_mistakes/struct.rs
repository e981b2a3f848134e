use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(
    statsu = 404,
    code = "x",
    message = "{}",
    display = "{",
    title = "",
    breaker = "open"
)]
#[api(header("a b" = "1"), prefix = "-", category, secret)]
struct Error {
    #[api(skip, detail)]
    id: u64,
    #[from]
    #[api(retry_after = "30s")]
    source: std::io::Error,
}

fn main() {}

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(domian = "jobs", docs = "errors")]
enum Error {
    NotFound,
    #[api(status = 200)]
    Success,
    #[api(
        status = 404,
        code = "gone",
        message = "job {idd} is gone",
        retry_after = "60"
    )]
    Gone {
        #[api(detial)]
        id: u64,
    },
    #[api(status = 401, message = "{key}", header("Content-Type" = "x"), level = "wran")]
    Unknown {
        #[api(secret)]
        key: String,
    },
    #[api(transparent, status = 500)]
    Inner(std::io::Error, u64),
    #[api(status = 404, code = "NOT_FOUND")]
    Absent(#[from] std::fmt::Error, #[source] std::io::Error),
}

fn main() {}

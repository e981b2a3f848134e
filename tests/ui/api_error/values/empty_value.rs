use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(domain = "")]
enum Error {
    #[api(status = 404, title = " ", category = "")]
    NotFound {
        #[api(detail = "")]
        id: u64,
    },
}

fn main() {}

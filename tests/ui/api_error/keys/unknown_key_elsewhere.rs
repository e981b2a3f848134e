use error_runtime::ApiError;

// Misspelt, and meant for another place.
#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 404, domian = "billing")]
    NotFound {
        #[api(mesage = "not found")]
        id: u64,
    },
}

fn main() {}

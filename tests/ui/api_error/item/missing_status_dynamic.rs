use error_runtime::ApiError;

// A field gives the status of one occurrence; the catalogue needs a declared one.
#[derive(Debug, ApiError)]
#[api(message = "the service behind failed")]
struct Upstream {
    #[api(status)]
    status: u16,
}

fn main() {}

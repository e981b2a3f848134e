use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(domain = billing)]
enum Error {
    #[api(status = 404, code = NOT_FOUND, message = 404, title = concat!("a", "b"))]
    Words {
        #[api(detail = 'x')]
        id: u64,
    },
    #[api(status = 404, message = b"bytes", display = format!("{id}"))]
    Others { id: u64 },
}

fn main() {}

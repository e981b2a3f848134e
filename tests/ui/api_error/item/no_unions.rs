use error_runtime::ApiError;

#[derive(ApiError)]
#[api(status = 404)]
union Error {
    code: u32,
    raw: [u8; 4],
}

fn main() {}

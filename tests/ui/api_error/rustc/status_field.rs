use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 500)]
enum Error {
    Text {
        #[api(status)]
        status: String,
    },
    #[api(message = "failed")]
    Wide(#[api(status)] u32),
}

fn main() {}

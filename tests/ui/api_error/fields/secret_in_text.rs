use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 401)]
enum Error {
    #[api(message = "the key {key} is unknown")]
    Message {
        #[api(secret)]
        key: String,
    },
    #[api(message = "unknown key", display = "unknown key {0:?}")]
    Display(#[api(secret)] String),
    #[api(message = "{name:key$}")]
    Measure {
        name: String,
        #[api(secret)]
        key: usize,
    },
}

fn main() {}

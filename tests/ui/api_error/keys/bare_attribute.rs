use error_runtime::ApiError;

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 500)]
    Io(#[from(std::io::Error)] std::io::Error),
    #[api(status = 500)]
    Parse {
        #[source = "cause"]
        cause: std::num::ParseIntError,
        #[backtrace()]
        trace: std::backtrace::Backtrace,
    },
}

// The attribute still counts, so that `?` is no second error.
fn read() -> Result<String, Error> {
    Ok(std::fs::read_to_string("x")?)
}

fn main() {}

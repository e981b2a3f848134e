use error_runtime::ApiError;

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 500)]
    Io(#[api(from)] std::io::Error),
    #[api(status = 500)]
    Parse {
        #[api(source)]
        cause: std::num::ParseIntError,
        #[api(backtrace)]
        trace: std::backtrace::Backtrace,
    },
    #[api(status = 500, from)]
    OnVariant(std::fmt::Error),
}

// The source is one all the same, so that `?` is no second error.
fn read() -> Result<String, Error> {
    Ok(std::fs::read_to_string("x")?)
}

fn main() {}

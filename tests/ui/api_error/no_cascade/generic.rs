use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404, mesage = "{id}")]
struct Error<'a, T: std::fmt::Display, const N: usize>
where
    T: Clone,
{
    id: &'a T,
    rest: [T; N],
}

fn object<'a>(error: &'a Error<'a, u64, 2>) -> &'a dyn ApiError {
    error
}

fn shown<T: std::fmt::Display + std::fmt::Debug + Clone>(error: Error<'_, T, 2>) -> String {
    error.to_string()
}

fn main() {}

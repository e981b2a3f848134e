use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404, message = "no {what}")]
struct NotFound<T> {
    what: T,
}

struct Silent;

fn show<E: std::fmt::Display>(_: E) {}

fn answer(error: NotFound<Silent>) {
    show(error);
}

fn main() {}

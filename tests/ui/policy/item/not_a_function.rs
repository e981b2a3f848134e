use error_runtime::retry;

/// Text.
#[retry(attempts = 3)]
#[derive(Debug)]
pub struct Client {
    name: &'static str,
}

fn main() {}

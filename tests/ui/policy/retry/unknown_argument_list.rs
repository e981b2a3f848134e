use error_runtime::retry;

#[retry(clone(url))]
fn call(host: &str, path: &str) -> Result<usize, std::io::Error> {
    Ok(host.len() + path.len())
}

fn main() {}

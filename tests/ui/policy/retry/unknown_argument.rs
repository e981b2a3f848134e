use error_runtime::retry;

#[retry(clone(nam))]
fn call(name: &str) -> Result<usize, std::io::Error> {
    Ok(name.len())
}

fn main() {}

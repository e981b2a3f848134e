use error_runtime::retry;

#[derive(Clone)]
struct Client(String);

impl Client {
    #[retry(clone(self))]
    fn close(self) -> Result<String, std::io::Error> {
        Ok(self.0)
    }
}

fn main() {}

use error_runtime::{ApiError, Rejected, retry};

#[derive(Debug, ApiError)]
enum Error {
    #[api(status = 503, retryable)]
    Away,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

struct Cache(Vec<u8>);

impl Cache {
    #[retry(attempts = 3)]
    fn fill(&mut self) -> Result<&mut [u8], Error> {
        self.0.push(1);
        Ok(&mut self.0)
    }

    #[retry(attempts = 3)]
    async fn fill_later(&mut self) -> Result<&mut [u8], Error> {
        self.0.push(1);
        Ok(&mut self.0)
    }
}

fn main() {}

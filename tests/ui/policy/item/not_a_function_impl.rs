use error_runtime::circuit_breaker;

struct Client;

#[circuit_breaker(service = "stripe")]
impl Client {
    fn call(&self) -> Result<(), std::io::Error> {
        Ok(())
    }
}

fn main() {}

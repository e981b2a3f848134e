use error_runtime::{retry, timeout};

trait Payments {
    #[retry]
    #[timeout("2s")]
    async fn pay(&self) -> Result<(), std::io::Error>;
}

fn main() {}

use error_runtime::timeout;

#[timeout("2s")]
async fn call() {
    println!()
}

fn main() {}

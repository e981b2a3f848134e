use error_runtime::retry;

#[retry]
fn call() {
    println!()
}

fn main() {}

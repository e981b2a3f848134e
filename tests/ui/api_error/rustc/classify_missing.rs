use error_runtime::Classify;

#[derive(Debug)]
struct QueueFull;

fn policy<E: Classify>(_: &E) {}

fn main() {
    policy(&QueueFull);
}

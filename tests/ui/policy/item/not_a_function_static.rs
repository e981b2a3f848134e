use error_runtime::bulkhead;

#[bulkhead(max = 10)]
static CALLS: u32 = 0;

fn main() {}

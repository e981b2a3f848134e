use error_runtime::ApiError;

#[derive(Debug)]
struct Owner;

#[derive(Debug, ApiError)]
#[api(status = 404)]
enum Error {
    Marked {
        #[api(detail)]
        owner: Owner,
    },
    #[api(details)]
    All {
        id: u64,
        owner: Owner,
    },
    Flattened(#[api(detail(flatten))] Owner),
    Nested(#[api(detail)] Vec<Owner>),
}

fn main() {}

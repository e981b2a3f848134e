use error_runtime::ApiError;

#[derive(Debug)]
struct Owner;

#[derive(Debug, ApiError)]
#[api(status = 404)]
enum Error {
    #[api(message = "nothing of {owner}")]
    Message { owner: Owner },
    #[api(message = "nothing", display = "nothing of {0}")]
    Display(Owner),
    #[api(message = "nothing of {owner:?}")]
    Fine { owner: Owner },
}

fn main() {}

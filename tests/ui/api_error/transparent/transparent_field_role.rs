use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(status = 404)]
struct Inner;

#[derive(Debug, ApiError)]
enum Error {
    #[api(transparent)]
    Detail(#[api(detail)] Inner),
    #[api(transparent)]
    Status(#[api(status)] Inner),
    #[api(transparent)]
    Secret {
        #[api(secret)]
        inner: Inner,
    },
    #[api(transparent)]
    Header(#[api(header = "X-Inner")] Inner),
}

fn main() {}

use error_runtime::ApiError;

#[derive(Debug)]
struct NoError;

#[derive(Debug, ApiError)]
#[api(status = 500)]
enum Error {
    From(#[from] NoError),
    Source {
        #[source]
        cause: NoError,
    },
    Named {
        source: String,
    },
    Optional {
        source: Option<NoError>,
    },
}

fn main() {}

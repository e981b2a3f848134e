use error_runtime::ApiError;

use std::io;

#[derive(Debug, ApiError)]
#[api(status = 500)]
enum Error {
    Marked {
        #[source]
        read: io::Error,
        #[source]
        write: io::Error,
    },
    Named {
        source: io::Error,
        #[source]
        other: io::Error,
    },
    NamedLast {
        #[source]
        other: io::Error,
        source: io::Error,
    },
}

fn main() {}

//! `Display`, `Error` and `From` are somebody else's; the derive adds only what is its own.
//!
//! The tests are of the contract's default for `message`: `Display` below 500 where another crate
//! implements it and the variant has neither a source nor a secret field, else a public text.

pub mod by_thiserror {
    use error_runtime::ApiError;

    #[derive(Debug, thiserror::Error, ApiError)]
    pub enum Failure<T: std::fmt::Debug> {
        #[error("job {id} of {owner:?}")]
        #[api(status = 404, details)]
        Missing { id: u64, owner: T },
        #[error("job {0} is locked")]
        #[api(status = 409, message = "wait for job {0}")]
        Locked(u64),
        #[error("no access with {token}")]
        #[api(status = 403)]
        Secret {
            #[api(secret)]
            token: String,
        },
        #[error("bad line: {0}")]
        #[api(status = 400)]
        Source(#[source] std::num::ParseIntError),
        #[error("bad file: {source}")]
        #[api(status = 400)]
        Named { source: std::fmt::Error },
        #[error("the disk says {0}")]
        #[api(status = 503)]
        Io(#[from] std::io::Error),
        #[error("shard {shard} is away")]
        #[api(status = 500)]
        Internal { shard: u64 },
        #[error("status {0}")]
        #[api(status = 400)]
        Dynamic(#[api(status)] u16),
        #[error(transparent)]
        #[api(transparent)]
        Gone(#[from] Gone),
        #[error(transparent)]
        #[api(status = 400)]
        Opaque(#[from] std::str::Utf8Error),
    }

    #[derive(Debug, thiserror::Error, ApiError)]
    #[error("{0} is gone")]
    #[api(status = 410)]
    pub struct Gone(pub &'static str);

    /// Nothing for thiserror's attribute to stand on.
    #[derive(Debug, thiserror::Error, ApiError)]
    #[api(impl_error = false)]
    pub enum Never {}
}

pub mod by_snafu {
    use error_runtime::ApiError;
    use snafu::Snafu;

    #[derive(Debug, Snafu, ApiError)]
    #[snafu(visibility(pub))]
    #[api(impl_error = false)]
    pub enum Failure {
        #[snafu(display("job {id} is missing"))]
        #[api(status = 404)]
        Missing {
            #[api(detail)]
            id: u64,
        },
        #[snafu(display("cannot read {path}"))]
        #[api(status = 400)]
        Read {
            path: String,
            source: std::io::Error,
        },
        #[snafu(display("cannot parse"))]
        #[api(status = 500)]
        Parse {
            source: std::num::ParseIntError,
            #[backtrace]
            #[snafu(backtrace)]
            at: std::backtrace::Backtrace,
        },
        #[snafu(transparent)]
        #[api(transparent)]
        Inner { source: super::by_thiserror::Gone },
    }
}

pub mod by_displaydoc {
    use displaydoc::Display;
    use error_runtime::ApiError;

    #[derive(Debug, Display, ApiError)]
    #[api(impl_error = false)]
    pub enum Failure {
        /// job {id} is missing
        #[api(status = 404)]
        Missing { id: u64 },
        /// shard {0} is away
        #[api(status = 502)]
        Away(u64),
    }

    impl std::error::Error for Failure {}
}

pub mod by_hand {
    use std::fmt;

    use error_runtime::ApiError;

    #[derive(Debug, ApiError)]
    #[api(impl_error = false)]
    pub enum Failure {
        #[api(status = 404)]
        Missing(u64),
        #[api(status = 504)]
        Slow,
    }

    impl fmt::Display for Failure {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "by hand: {self:?}")
        }
    }

    impl std::error::Error for Failure {}

    impl From<u64> for Failure {
        fn from(id: u64) -> Self {
            Self::Missing(id)
        }
    }
}

/// The derive of `Display` and `Error` is ours although another derive stands beside it.
pub mod ours {
    use error_runtime::ApiError;

    #[derive(Debug, Clone, PartialEq, ApiError)]
    pub enum Failure {
        #[api(status = 404, display = "job {id} is on shard 3")]
        Missing { id: u64 },
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use error_runtime::{ApiError, http_response};
    use snafu::ResultExt as _;

    use super::by_thiserror::Gone;
    use super::{by_displaydoc, by_hand, by_snafu, by_thiserror, ours};

    const BAD_REQUEST: &str = "Bad Request";
    const UNEXPECTED: &str = "An unexpected error occurred";
    const UNAVAILABLE: &str = "Service temporarily unavailable";

    #[track_caller]
    fn check(error: &dyn ApiError, display: &str, message: &str) {
        assert_eq!(error.to_string(), display);
        assert_eq!(error.message(), message);
        let body = String::from_utf8_lossy(http_response(error).body()).into_owned();
        assert!(body.contains(&format!("\"message\":{message:?}")), "{body}");
    }

    #[test]
    fn thiserror() {
        type Failure = by_thiserror::Failure<&'static str>;
        check(
            &Failure::Missing {
                id: 7,
                owner: "ann",
            },
            "job 7 of \"ann\"",
            "job 7 of \"ann\"",
        );
        check(&Failure::Locked(7), "job 7 is locked", "wait for job 7");
        let secret = Failure::Secret {
            token: "hunter2".to_owned(),
        };
        check(&secret, "no access with hunter2", "Forbidden");
        let number = "x".parse::<u8>().unwrap_err();
        check(
            &Failure::Source(number.clone()),
            &format!("bad line: {number}"),
            BAD_REQUEST,
        );
        let named = Failure::Named {
            source: std::fmt::Error,
        };
        check(
            &named,
            &format!("bad file: {}", std::fmt::Error),
            BAD_REQUEST,
        );
        let io = Failure::from(std::io::Error::other("sector 3"));
        check(&io, "the disk says sector 3", UNAVAILABLE);
        assert!(io.source().is_some());
        check(
            &Failure::Internal { shard: 3 },
            "shard 3 is away",
            UNEXPECTED,
        );
        check(&Failure::from(Gone("job")), "job is gone", "job is gone");
        assert_eq!(Failure::from(Gone("job")).code(), "GONE");
        let text = std::str::from_utf8(&[0xFF, 0xFE][..]).unwrap_err();
        check(&Failure::from(text), &text.to_string(), BAD_REQUEST);
    }

    /// What is public depends on the status that is sent, not on the declared one.
    #[test]
    fn thiserror_with_a_dynamic_status() {
        type Failure = by_thiserror::Failure<u8>;
        check(&Failure::Dynamic(404), "status 404", "status 404");
        check(&Failure::Dynamic(503), "status 503", UNAVAILABLE);
        check(&Failure::Dynamic(200), "status 200", UNEXPECTED);
    }

    #[test]
    fn snafu() {
        use by_snafu::Failure;

        let missing: Failure = by_snafu::MissingSnafu { id: 7_u64 }.build();
        check(&missing, "job 7 is missing", "job 7 is missing");
        let read = Err::<(), _>(std::io::Error::other("sector 3"))
            .context(by_snafu::ReadSnafu {
                path: "/etc/passwd",
            })
            .unwrap_err();
        check(&read, "cannot read /etc/passwd", BAD_REQUEST);
        assert!(read.source().is_some());
        let parse = "x".parse::<u8>().context(by_snafu::ParseSnafu).unwrap_err();
        check(&parse, "cannot parse", UNEXPECTED);
        assert!(ApiError::backtrace(&parse).is_some());
        check(&Failure::from(Gone("job")), "job is gone", "job is gone");
    }

    #[test]
    fn displaydoc() {
        use by_displaydoc::Failure;

        let missing = Failure::Missing { id: 7 };
        check(&missing, "job 7 is missing", "job 7 is missing");
        assert_eq!(missing.spec().description, "job {id} is missing");
        check(&Failure::Away(3), "shard 3 is away", UNEXPECTED);
    }

    #[test]
    fn by_hand() {
        use by_hand::Failure;

        check(
            &Failure::from(7),
            "by hand: Missing(7)",
            "by hand: Missing(7)",
        );
        check(&Failure::Slow, "by hand: Slow", UNEXPECTED);
    }

    /// Our own `display` is for the log and never the default of `message`.
    #[test]
    fn ours() {
        check(
            &ours::Failure::Missing { id: 7 },
            "job 7 is on shard 3",
            "Not Found",
        );
    }
}

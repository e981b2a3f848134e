//! Nothing reaches a client that was not declared.

#![allow(dead_code, reason = "the fields are there to be kept out")]

use std::error::Error;
use std::fmt;

use error_runtime::common::{DatabaseError, EmailError, ExternalServiceError, RenderingError};
use error_runtime::{AnyError, ApiError, ResultExt as _};

use crate::support::in_every_format;

const SECRET: &str = "hunter2";

/// A cause whose texts all hold the password.
#[derive(Debug)]
struct Cause;

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "postgres://app:{SECRET}@10.0.0.7/db: SELECT * FROM users WHERE pw = '{SECRET}'"
        )
    }
}
impl Error for Cause {}

#[derive(Debug, ApiError)]
enum Leaky {
    #[api(status = 500, display = "cannot log in with {password}")]
    Display { password: String },
    #[api(status = 500)]
    Tuple(String),
    #[api(status = 502, code = "FROM")]
    From(#[from] Cause),
    #[api(status = 503, details)]
    Details {
        #[api(secret)]
        password: String,
        #[api(skip)]
        skipped: String,
        source: Cause,
        shown: u8,
    },
    #[api(status = 404)]
    ClientSide { hidden: String },
    #[api(status = 500)]
    Dynamic {
        #[api(status)]
        status: u16,
        text: String,
    },
}

#[derive(Debug, thiserror::Error, ApiError)]
enum LeakyThiserror {
    #[error("cannot log in with {0}")]
    #[api(status = 500)]
    Server(String),
    #[error("caused by {0}")]
    #[api(status = 400)]
    Sourced(#[source] Cause),
    #[error("secret {0}")]
    #[api(status = 400)]
    Secret(#[api(secret)] String),
    #[error("{1}")]
    #[api(status = 400)]
    Dynamic(#[api(status)] u16, String),
}

#[test]
fn a_password_is_in_no_body_header_or_page() {
    let secret = || SECRET.to_owned();
    let from_any = Err::<(), _>(Cause).or_internal().unwrap_err();
    let with_status = Err::<(), _>(Cause)
        .or_status(
            error_runtime::StatusCode::BAD_GATEWAY,
            "UPSTREAM",
            "the upstream failed",
        )
        .unwrap_err();
    let internal = AnyError::internal(Cause);
    let database = DatabaseError::failed("insert", Cause);
    let rendering = RenderingError::failed(Cause);
    let email = EmailError::invalid_recipient(SECRET);
    let external = ExternalServiceError::unavailable(SECRET).with_source(Cause);
    let errors: [&dyn ApiError; 17] = [
        &Leaky::Display { password: secret() },
        &Leaky::Tuple(secret()),
        &Leaky::From(Cause),
        &Leaky::Details {
            password: secret(),
            skipped: secret(),
            source: Cause,
            shown: 1,
        },
        &Leaky::ClientSide { hidden: secret() },
        &Leaky::Dynamic {
            status: 200,
            text: secret(),
        },
        &LeakyThiserror::Server(secret()),
        &LeakyThiserror::Sourced(Cause),
        &LeakyThiserror::Secret(secret()),
        &LeakyThiserror::Dynamic(503, secret()),
        &*from_any,
        &*with_status,
        &*internal,
        &database,
        &rendering,
        &email,
        &external,
    ];
    for error in errors {
        let told = format!("{error:?}");
        assert!(
            told.contains(SECRET) || told.contains("Cause"),
            "the test itself must be able to leak: {told}"
        );
        for (format, response) in in_every_format(error) {
            let answer = format!("{:?} {}", response.headers(), response.body());
            for leak in [SECRET, "postgres", "SELECT", "10.0.0.7", "Cause", "src/"] {
                assert!(
                    !answer.contains(leak),
                    "{leak} of {told} in {format}: {answer}"
                );
            }
        }
    }
}

/// What is declared does go out, or the test above would prove nothing.
#[test]
fn what_is_declared_is_sent() {
    #[derive(Debug, ApiError)]
    #[api(status = 500, message = "code {token}", details)]
    struct Declared {
        token: &'static str,
    }
    for (format, response) in in_every_format(&Declared { token: SECRET }) {
        assert!(response.body().contains(SECRET), "{format}");
    }
}

//! How the errors of sqlx are answered.

use sqlx::Error;
use sqlx::error::{DatabaseError, ErrorKind};

use crate::{ApiError, Classify as _, ErrorSpec, GrpcCode, Outcome, StatusCode};

static NOT_FOUND: ErrorSpec = ErrorSpec::new("sqlx", "NOT_FOUND", StatusCode::NOT_FOUND)
    .with_name("RowNotFound")
    .with_message("the resource was not found");

static UNIQUE: ErrorSpec = ErrorSpec::new("sqlx", "CONFLICT", StatusCode::CONFLICT)
    .with_name("UniqueViolation")
    .with_message("the resource already exists")
    .with_grpc(GrpcCode::AlreadyExists);

static FOREIGN_KEY: ErrorSpec = ErrorSpec::new("sqlx", "CONFLICT", StatusCode::CONFLICT)
    .with_name("ForeignKeyViolation")
    .with_message("a related resource does not exist or is still in use")
    .with_grpc(GrpcCode::FailedPrecondition);

static UNAVAILABLE: ErrorSpec = ErrorSpec::new(
    "sqlx",
    "SERVICE_UNAVAILABLE",
    StatusCode::SERVICE_UNAVAILABLE,
)
.with_name("Unavailable");

// A closed pool stays closed: this process is going down, so a retry here is lost, and nothing is
// known of the database. A client may well reach another instance.
static CLOSED: ErrorSpec = ErrorSpec::new(
    "sqlx",
    "SERVICE_UNAVAILABLE",
    StatusCode::SERVICE_UNAVAILABLE,
)
.with_name("PoolClosed")
.with_retryable(false)
.with_recoverable(true)
.with_outcome(Outcome::Neutral);

// The database has done its work: it undid one of several transactions that were in each other's
// way. Many of these are no reason to cut everybody off from it.
static CONTENTION: ErrorSpec =
    ErrorSpec::new("sqlx", "DATABASE_ERROR", StatusCode::INTERNAL_SERVER_ERROR)
        .with_name("Contention")
        .with_retryable(true)
        .with_outcome(Outcome::Ok)
        .with_grpc(GrpcCode::Aborted);

static DATABASE: ErrorSpec =
    ErrorSpec::new("sqlx", "DATABASE_ERROR", StatusCode::INTERNAL_SERVER_ERROR)
        .with_name("Database");

/// The database's own text, SQL, names of tables and constraints never reach a client.
///
/// | error | answer | retryable |
/// |---|---|---|
/// | `RowNotFound` | 404 `NOT_FOUND` | no |
/// | violation of a unique or primary key | 409 `CONFLICT` | no |
/// | violation of a foreign key | 409 `CONFLICT` | no |
/// | `PoolTimedOut` | 503 `SERVICE_UNAVAILABLE` | yes |
/// | `PoolClosed` | 503 `SERVICE_UNAVAILABLE` | only by the client, counts neither way |
/// | `Io` whose kind is transient: refused, reset, timed out, … | 503 `SERVICE_UNAVAILABLE` | yes |
/// | the server starts, shuts down or has no connection left (SQLSTATE `08000`, `08001`, `08003`, `08004`, `08006`, `08S01`, `53300`, `57P01` to `57P03`) | 503 `SERVICE_UNAVAILABLE` | yes |
/// | serialization failure, deadlock, lock not available (SQLSTATE `40001`, `40P01`, `55P03`), `SQLITE_BUSY`, `SQLITE_LOCKED` | 500 `DATABASE_ERROR` | yes, counts as a success |
/// | all else | 500 `DATABASE_ERROR` | no |
///
/// To retry after a deadlock or a serialization failure is to run the whole transaction again. A
/// connection that breaks during a `COMMIT` does not tell whether the commit was done.
impl ApiError for Error {
    fn spec(&self) -> &'static ErrorSpec {
        match self {
            Self::RowNotFound => &NOT_FOUND,
            Self::Database(error) => of_database(&**error),
            Self::PoolTimedOut => &UNAVAILABLE,
            Self::PoolClosed => &CLOSED,
            // One list of transient kinds, the one of `std::io::Error`.
            Self::Io(error) if error.classify().retryable => &UNAVAILABLE,
            _ => &DATABASE,
        }
    }
}

fn of_database(error: &dyn DatabaseError) -> &'static ErrorSpec {
    match error.kind() {
        ErrorKind::UniqueViolation => return &UNIQUE,
        ErrorKind::ForeignKeyViolation => return &FOREIGN_KEY,
        _ => {}
    }
    // SQLSTATE of PostgreSQL and MySQL, five characters; SQLite's extended result code in decimal.
    match error.code().as_deref() {
        // Not all of class 08: 08P01 is a broken protocol, after 08007 the work may have been done.
        Some(
            "08000" | "08001" | "08003" | "08004" | "08006" | "08S01" | "53300" | "57P01" | "57P02"
            | "57P03",
        ) => &UNAVAILABLE,
        // SQLite: BUSY, BUSY_RECOVERY, BUSY_SNAPSHOT, BUSY_TIMEOUT; LOCKED, LOCKED_SHAREDCACHE.
        Some("40001" | "40P01" | "55P03" | "5" | "261" | "517" | "773" | "6" | "262") => {
            &CONTENTION
        }
        _ => &DATABASE,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::{fmt, io};

    use super::*;
    use crate::{AnyError, Classification, http_response};

    const SECRET: &str = "hunter2";

    #[derive(Debug)]
    struct Fake {
        kind: fn() -> ErrorKind,
        code: Option<&'static str>,
    }

    impl fmt::Display for Fake {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.message())
        }
    }

    impl std::error::Error for Fake {}

    impl DatabaseError for Fake {
        fn message(&self) -> &'static str {
            "INSERT INTO hunter2 VALUES ('hunter2')"
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            self.code.map(Cow::Borrowed)
        }

        fn constraint(&self) -> Option<&str> {
            Some(SECRET)
        }

        fn table(&self) -> Option<&str> {
            Some(SECRET)
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            (self.kind)()
        }
    }

    fn database(kind: fn() -> ErrorKind, code: Option<&'static str>) -> Error {
        Error::Database(Box::new(Fake { kind, code }))
    }

    fn other(code: &'static str) -> Error {
        database(|| ErrorKind::Other, Some(code))
    }

    fn io(kind: io::ErrorKind) -> Error {
        Error::Io(io::Error::new(kind, SECRET))
    }

    /// Checks the answer, and that no foreign text is in it.
    #[track_caller]
    fn check(error: &Error, status: u16, code: &'static str, retryable: bool, outcome: Outcome) {
        assert_eq!(error.status(), status, "{error:?}");
        assert_eq!(error.code(), code, "{error:?}");
        assert_eq!(error.spec().domain, "sqlx");
        assert_eq!(
            error.classify(),
            Classification::new(retryable, outcome).with_code(code),
            "{error:?}"
        );

        let response = http_response(error);
        assert_eq!(response.status(), status);
        let body = String::from_utf8(response.into_body()).unwrap();
        assert!(body.contains(&format!("\"code\":\"{code}\"")), "{body}");
        assert!(!body.contains(SECRET), "{body}");
    }

    #[test]
    fn a_missing_row_is_not_found() {
        check(&Error::RowNotFound, 404, "NOT_FOUND", false, Outcome::Ok);
    }

    #[test]
    fn violated_keys_are_conflicts() {
        // The kind decides, whatever the code.
        for code in [None, Some("23505"), Some("40001")] {
            let unique = database(|| ErrorKind::UniqueViolation, code);
            check(&unique, 409, "CONFLICT", false, Outcome::Ok);
            assert_eq!(unique.grpc_code(), GrpcCode::AlreadyExists);

            let foreign_key = database(|| ErrorKind::ForeignKeyViolation, code);
            check(&foreign_key, 409, "CONFLICT", false, Outcome::Ok);
            assert_eq!(foreign_key.grpc_code(), GrpcCode::FailedPrecondition);
            assert_ne!(unique.message(), foreign_key.message());
        }
    }

    #[test]
    fn no_connection_is_unavailable() {
        let errors = [
            Error::PoolTimedOut,
            io(io::ErrorKind::ConnectionRefused),
            io(io::ErrorKind::ConnectionReset),
            io(io::ErrorKind::BrokenPipe),
            io(io::ErrorKind::TimedOut),
            io(io::ErrorKind::UnexpectedEof),
            other("08001"),
            other("08006"),
            other("53300"),
            other("57P01"),
            other("57P03"),
        ];
        for error in &errors {
            check(error, 503, "SERVICE_UNAVAILABLE", true, Outcome::Trip);
            assert!(error.is_recoverable());
        }
    }

    #[test]
    fn a_closed_pool_is_for_the_client_to_retry() {
        let error = Error::PoolClosed;
        check(&error, 503, "SERVICE_UNAVAILABLE", false, Outcome::Neutral);
        assert!(error.is_recoverable());
    }

    #[test]
    fn contention_is_retryable_and_no_failure_of_the_database() {
        for code in [
            "40001", "40P01", "55P03", "5", "6", "261", "262", "517", "773",
        ] {
            check(&other(code), 500, "DATABASE_ERROR", true, Outcome::Ok);
        }
    }

    #[test]
    fn all_else_is_a_database_error() {
        let errors = [
            Error::Configuration(SECRET.into()),
            Error::Tls(SECRET.into()),
            Error::Protocol(SECRET.to_owned()),
            Error::TypeNotFound {
                type_name: SECRET.to_owned(),
            },
            Error::ColumnNotFound(SECRET.to_owned()),
            Error::ColumnDecode {
                index: SECRET.to_owned(),
                source: SECRET.into(),
            },
            Error::Decode(SECRET.into()),
            Error::WorkerCrashed,
            io(io::ErrorKind::PermissionDenied),
            io(io::ErrorKind::InvalidData),
            database(|| ErrorKind::CheckViolation, Some("23514")),
            database(|| ErrorKind::NotNullViolation, Some("23502")),
            database(|| ErrorKind::Other, None),
            other("42P01"),
            // A broken protocol, and a commit of which nothing is known.
            other("08P01"),
            other("08007"),
        ];
        for error in &errors {
            check(error, 500, "DATABASE_ERROR", false, Outcome::Trip);
            assert_eq!(error.message(), "An unexpected error occurred");
        }
    }

    #[test]
    fn it_becomes_any_error() {
        fn load() -> Result<(), AnyError> {
            Err(Error::RowNotFound)?;
            Ok(())
        }
        let error = load().unwrap_err();
        assert_eq!(error.status(), 404);
        assert!(matches!(error.downcast_ref(), Some(Error::RowNotFound)));
    }
}

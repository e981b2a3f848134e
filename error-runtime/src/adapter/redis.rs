//! How the errors of redis are classified.

use redis::{ErrorKind, RedisError, RetryMethod, ServerErrorKind};

use crate::{Classification, Classify, Outcome};

/// Retryable is what the crate itself calls so ([`RedisError::retry_method`]), but for a refused
/// login and a value of another type: there a new connection changes nothing.
///
/// | error | retryable | breaker |
/// |---|---|---|
/// | input or output failed: refused, dropped, timed out, … | yes, unless not permitted or not supported | trip |
/// | the server answers `LOADING`, `TRYAGAIN`, `CLUSTERDOWN`, `MASTERDOWN`, `READONLY`, `MOVED`, `ASK`, `BUSY`, `NOREPLICAS` | yes | trip |
/// | the server answers `OOM`, `MISCONF`, `NOAUTH`, `WRONGPASS`; it refuses the login, has no RESP3 | no | trip |
/// | the sentinels or the cluster know no master, replica or node | yes | trip |
/// | any other answer of the server: `ERR`, `WRONGTYPE`, `NOSCRIPT`, `NOPERM`, a script's own, … | no | success |
/// | the value is of another type than asked for | no | success |
/// | it never reached the server: a wrong configuration or command | no | neutral |
///
/// A connection that breaks does not tell whether the command was done: retry what may be done twice.
impl Classify for RedisError {
    fn classify(&self) -> Classification {
        match self.kind() {
            // A replica that was the master a moment ago. Early versions of the crate take it for final.
            ErrorKind::Server(ServerErrorKind::ReadOnly) => {
                Classification::new(true, Outcome::Trip)
            }
            // An answer that is final is about the command, not about the server.
            ErrorKind::Server(_) if is_final(self) => Classification::new(false, Outcome::Ok),
            ErrorKind::Server(_) => Classification::new(true, Outcome::Trip),
            ErrorKind::Extension => of_code(self.code()),
            ErrorKind::Io
            | ErrorKind::MasterNameNotFoundBySentinel
            | ErrorKind::NoValidReplicasFoundBySentinel
            | ErrorKind::ClusterConnectionNotFound => {
                Classification::new(!is_final(self), Outcome::Trip)
            }
            ErrorKind::AuthenticationFailed | ErrorKind::RESP3NotSupported => {
                Classification::new(false, Outcome::Trip)
            }
            // `Parse` is what a failed conversion to the type asked for gives.
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => {
                Classification::new(false, Outcome::Ok)
            }
            _ => Classification::new(false, Outcome::Neutral),
        }
    }
}

fn is_final(error: &RedisError) -> bool {
    matches!(error.retry_method(), RetryMethod::NoRetry)
}

/// An answer whose code the crate does not know. Scripts and modules have codes of their own, so
/// only what is known of the server itself counts against it.
fn of_code(code: Option<&str>) -> Classification {
    match code {
        Some("BUSY" | "NOREPLICAS") => Classification::new(true, Outcome::Trip),
        Some("OOM" | "MISCONF" | "NOAUTH" | "WRONGPASS") => {
            Classification::new(false, Outcome::Trip)
        }
        _ => Classification::new(false, Outcome::Ok),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use redis::{FromRedisValue as _, parse_redis_value};

    use super::*;
    use crate::{ResultExt as _, http_response};

    const RETRY: Classification = Classification::new(true, Outcome::Trip);
    const FAILED: Classification = Classification::new(false, Outcome::Trip);
    const MISTAKE: Classification = Classification::new(false, Outcome::Ok);
    const NEUTRAL: Classification = Classification::new(false, Outcome::Neutral);

    /// What a server makes by answering so.
    fn answered(code: &str) -> RedisError {
        parse_redis_value(format!("-{code} hunter2\r\n").as_bytes())
            .unwrap()
            .extract_error()
            .unwrap_err()
    }

    #[test]
    fn the_servers_answers() {
        let classes = [
            (
                RETRY,
                &[
                    "LOADING",
                    "TRYAGAIN",
                    "CLUSTERDOWN",
                    "MASTERDOWN",
                    "READONLY",
                    "MOVED",
                    "ASK",
                    "BUSY",
                    "NOREPLICAS",
                ][..],
            ),
            (FAILED, &["OOM", "MISCONF", "NOAUTH", "WRONGPASS"]),
            (
                MISTAKE,
                &[
                    "ERR",
                    "WRONGTYPE",
                    "EXECABORT",
                    "NOSCRIPT",
                    "CROSSSLOT",
                    "NOTBUSY",
                    "NOSUB",
                    "NOPERM",
                    "BUSYGROUP",
                    "MYSCRIPT",
                ],
            ),
        ];
        for (class, codes) in classes {
            for code in codes {
                assert_eq!(answered(code).classify(), class, "{code}");
            }
        }
    }

    #[test]
    fn input_and_output() {
        for kind in [
            io::ErrorKind::ConnectionRefused,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::BrokenPipe,
            io::ErrorKind::UnexpectedEof,
            io::ErrorKind::TimedOut,
            io::ErrorKind::WouldBlock,
            // The socket's file is not there yet.
            io::ErrorKind::NotFound,
        ] {
            assert_eq!(
                RedisError::from(io::Error::from(kind)).classify(),
                RETRY,
                "{kind}"
            );
        }
        let refused = RedisError::from(io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!(refused.classify(), FAILED);
    }

    #[test]
    fn a_refused_connection_is_retryable() {
        // Bound and let go: nobody listens there.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let client = redis::Client::open(format!("redis://{address}")).unwrap();
        let Err(error) = client.get_connection() else {
            panic!("somebody listens");
        };
        assert!(error.is_connection_refusal(), "{error}");
        assert_eq!(error.classify(), RETRY);
    }

    #[test]
    fn a_wrong_type_is_the_callers_mistake() {
        let value = parse_redis_value(b"$7\r\nhunter2\r\n").unwrap();
        let error = RedisError::from(u8::from_redis_value(value).unwrap_err());
        assert!(error.to_string().contains("hunter2"), "{error}");
        assert_eq!(error.classify(), MISTAKE);
    }

    #[test]
    fn the_crates_own() {
        for (kind, class) in [
            (ErrorKind::MasterNameNotFoundBySentinel, RETRY),
            (ErrorKind::NoValidReplicasFoundBySentinel, RETRY),
            (ErrorKind::ClusterConnectionNotFound, RETRY),
            (ErrorKind::AuthenticationFailed, FAILED),
            (ErrorKind::RESP3NotSupported, FAILED),
            (ErrorKind::UnexpectedReturnType, MISTAKE),
            (ErrorKind::InvalidClientConfig, NEUTRAL),
            (ErrorKind::EmptySentinelList, NEUTRAL),
            (ErrorKind::Client, NEUTRAL),
        ] {
            let error = RedisError::from((kind, "hunter2", "hunter2".to_owned()));
            assert_eq!(error.classify(), class, "{kind:?}");
        }
        let Err(error) = redis::Client::open("hunter2") else {
            panic!("that is no address");
        };
        assert_eq!(error.classify(), NEUTRAL);
    }

    #[test]
    fn its_text_is_not_sent() {
        let failed: Result<(), _> = Err(answered("ERR"));
        let response = http_response(&*failed.or_internal().unwrap_err());
        let body = String::from_utf8(response.into_body()).unwrap();
        assert!(body.contains("INTERNAL_ERROR"), "{body}");
        assert!(!body.contains("hunter2"), "{body}");
    }
}

//! How a gRPC status is classified.

use std::error::Error;

use tonic::{Code, Status, TimeoutExpired};

use crate::{Classification, Classify, Outcome};

/// As AIP-194 has it, only `Unavailable` is retryable: the other codes do not say that another
/// attempt is safe, nor that it would help.
///
/// | code | retryable | breaker |
/// |---|---|---|
/// | `Unavailable` | yes | trip |
/// | `DeadlineExceeded`, `Internal`, `Unknown`, `DataLoss`, `Unimplemented` | no | trip |
/// | `Cancelled` by the time-out of the channel | no | trip |
/// | `Cancelled` otherwise | no | neutral |
/// | all else: a mistake of the caller, or nothing to do | no | success |
impl Classify for Status {
    fn classify(&self) -> Classification {
        let outcome = match self.code() {
            Code::Unavailable => return Classification::new(true, Outcome::Trip),
            Code::DeadlineExceeded
            | Code::Internal
            | Code::Unknown
            | Code::DataLoss
            | Code::Unimplemented => Outcome::Trip,
            // tonic's own time-out has this code too, and tells itself by its source alone.
            Code::Cancelled if timed_out(self) => Outcome::Trip,
            Code::Cancelled => Outcome::Neutral,
            Code::Ok
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::ResourceExhausted => Outcome::Ok,
        };
        Classification::new(false, outcome)
    }
}

fn timed_out(status: &Status) -> bool {
    let mut source = status.source();
    while let Some(error) = source {
        if error.is::<TimeoutExpired>() {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;
    use crate::{ResultExt as _, http_response};

    #[test]
    fn each_code_has_its_class() {
        let classes = [
            (Code::Ok, false, Outcome::Ok),
            (Code::Cancelled, false, Outcome::Neutral),
            (Code::Unknown, false, Outcome::Trip),
            (Code::InvalidArgument, false, Outcome::Ok),
            (Code::DeadlineExceeded, false, Outcome::Trip),
            (Code::NotFound, false, Outcome::Ok),
            (Code::AlreadyExists, false, Outcome::Ok),
            (Code::PermissionDenied, false, Outcome::Ok),
            (Code::ResourceExhausted, false, Outcome::Ok),
            (Code::FailedPrecondition, false, Outcome::Ok),
            (Code::Aborted, false, Outcome::Ok),
            (Code::OutOfRange, false, Outcome::Ok),
            (Code::Unimplemented, false, Outcome::Trip),
            (Code::Internal, false, Outcome::Trip),
            (Code::Unavailable, true, Outcome::Trip),
            (Code::DataLoss, false, Outcome::Trip),
            (Code::Unauthenticated, false, Outcome::Ok),
        ];
        for (number, (code, retryable, outcome)) in (0..).zip(classes) {
            assert_eq!(Code::from_i32(number), code, "a code is missing");
            assert_eq!(
                Status::new(code, "hunter2").classify(),
                Classification::new(retryable, outcome),
                "{code:?}"
            );
        }
    }

    #[test]
    fn the_channels_time_out_is_a_failure() {
        #[derive(Debug)]
        struct Transport(TimeoutExpired);

        impl fmt::Display for Transport {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("transport error")
            }
        }

        impl Error for Transport {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }

        let status = Status::from_error(Box::new(Transport(TimeoutExpired(()))));
        assert_eq!(status.code(), Code::Cancelled);
        assert_eq!(status.classify(), Classification::new(false, Outcome::Trip));
    }

    #[test]
    fn its_text_is_not_sent() {
        let failed: Result<(), _> = Err(Status::internal("hunter2"));
        let response = http_response(&*failed.or_internal().unwrap_err());
        let body = String::from_utf8(response.into_body()).unwrap();
        assert!(body.contains("INTERNAL_ERROR"), "{body}");
        assert!(!body.contains("hunter2"), "{body}");
    }
}

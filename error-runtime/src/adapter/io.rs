//! How the errors of input and output are classified.

use std::io::{Error, ErrorKind};

use crate::{Classification, Classify, Outcome};

/// Transient kinds (refused, reset, timed out, unreachable, interrupted, …) are retryable and trip a
/// breaker; a caller's mistake (not found, exists already, invalid input) counts as a success; the
/// rest trips it and is not retried.
impl Classify for Error {
    fn classify(&self) -> Classification {
        match self.kind() {
            ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::NotConnected
            | ErrorKind::BrokenPipe
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::TimedOut
            | ErrorKind::WouldBlock
            | ErrorKind::Interrupted
            | ErrorKind::ResourceBusy
            | ErrorKind::UnexpectedEof => Classification::new(true, Outcome::Trip),
            ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidFilename
            | ErrorKind::IsADirectory
            | ErrorKind::NotADirectory
            | ErrorKind::DirectoryNotEmpty => Classification::new(false, Outcome::Ok),
            _ => Classification::new(false, Outcome::Trip),
        }
    }
}

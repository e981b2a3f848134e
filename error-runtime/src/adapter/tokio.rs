//! How tokio's own errors are classified.

use tokio::sync::{AcquireError, TryAcquireError};
use tokio::task::JoinError;
use tokio::time::error::Elapsed;

use crate::{Classification, Classify, Outcome};

/// A time-out is a failure of the service, and another attempt may be faster.
impl Classify for Elapsed {
    fn classify(&self) -> Classification {
        Classification::new(true, Outcome::Trip)
    }
}

/// A task that panicked has failed; one that was cancelled says nothing. Neither is retried.
impl Classify for JoinError {
    fn classify(&self) -> Classification {
        Classification::new(
            false,
            if self.is_panic() {
                Outcome::Trip
            } else {
                Outcome::Neutral
            },
        )
    }
}

/// The semaphore is closed: the process is going down.
impl Classify for AcquireError {
    fn classify(&self) -> Classification {
        Classification::new(false, Outcome::Neutral)
    }
}

/// No permit was free: the call never reached the service, and there may be one later.
impl Classify for TryAcquireError {
    fn classify(&self) -> Classification {
        Classification::new(*self == Self::NoPermits, Outcome::Neutral)
    }
}

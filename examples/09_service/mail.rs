//! E-mail: what cannot be sent is a line in the log.

use std::sync::atomic::{AtomicU64, Ordering};

use error_runtime::{ApiError, Rejected, recover, timeout};
use serde::Serialize;
use serde_json::json;

use crate::remote::Remote;

/// For the policies and the log: what cannot be sent is no failure of a request.
#[derive(Debug, ApiError)]
#[api(domain = "mail", prefix = "MAIL")]
pub(crate) enum MailError {
    #[api(status = 503, display = "the mail server answered {status}")]
    Busy { status: u16 },
    #[api(status = 502, display = "the mail server cannot be reached")]
    Unreachable(#[from] reqwest::Error),
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sent {
    Sent,
    Logged,
}

pub(crate) struct Mail {
    server: Remote,
    sent: AtomicU64,
    logged: AtomicU64,
}

impl Mail {
    pub(crate) fn new(server: Remote) -> Self {
        Self {
            server,
            sent: AtomicU64::new(0),
            logged: AtomicU64::new(0),
        }
    }

    /// Greets a new account. With the fallback below it, this does not fail.
    pub(crate) async fn welcome(&self, to: &str) -> Result<Sent, MailError> {
        let sent = self.send(to, "Welcome").await?;
        let count = match sent {
            Sent::Sent => &self.sent,
            Sent::Logged => &self.logged,
        };
        count.fetch_add(1, Ordering::Relaxed);
        Ok(sent)
    }

    /// How many were sent, and how many are in the log alone.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (count(&self.sent), count(&self.logged))
    }

    #[recover(
        service = "mail",
        operation = "mail.send",
        attempts = 2,
        base = "50ms",
        recovery = "2s",
        half_open = 1,
        fallback = Ok(logged(to, subject, &error))
    )]
    #[timeout("500ms")]
    async fn send(&self, to: &str, subject: &str) -> Result<Sent, MailError> {
        let message = json!({ "to": to, "subject": subject });
        let answer = self.server.post("/messages", &message).await?;
        match answer.status().as_u16() {
            200..=299 => Ok(Sent::Sent),
            status => Err(MailError::Busy { status }),
        }
    }
}

fn logged(to: &str, subject: &str, error: &MailError) -> Sent {
    tracing::warn!(to, subject, %error, "a message was not sent");
    Sent::Logged
}

//! What a call came to that did not succeed: read once from the answer, then asked by the caller and by the
//! policies.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use error_runtime::{AnyError, Classification, Classify, Envelope, Rejected};
use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde::Deserialize;
use serde_json::Value;

use crate::transport::Answer;

/// A failed call.
#[derive(Debug)]
pub(crate) struct CallError {
    pub(crate) kind: Kind,
    /// By which the server's log has it.
    pub(crate) request_id: Option<String>,
    classification: Classification,
}

/// What a caller of this service wants to tell apart. All else is `Other`.
#[derive(Debug)]
pub(crate) enum Kind {
    /// These meetings are in the way.
    Conflict { with: Vec<u64> },
    /// The input breaks these rules.
    Invalid { errors: Vec<Mistake> },
    /// Later, perhaps.
    Unavailable { retry_after: Option<Duration> },
    /// Another error of the service, by its own words.
    Other { code: String, message: String },
    /// An answer that the service does not give: a proxy's page, nothing at all, no end.
    Foreign(String),
    /// No answer.
    Unreachable(reqwest::Error),
    /// The call was not made, or given up here.
    Rejected(Rejected),
}

/// One broken rule.
#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct Mistake {
    pub(crate) pointer: String,
    pub(crate) message: String,
}

#[derive(Deserialize)]
struct ConflictDetails {
    conflicting_meetings: Vec<u64>,
}

#[derive(Deserialize)]
struct InvalidDetails {
    errors: Vec<Mistake>,
}

impl CallError {
    /// What an answer says that is no success.
    pub(crate) fn of_answer(answer: &Answer) -> Self {
        // What a status means where nobody says more: 503 is worth another attempt and the service's fault.
        let mut classification = AnyError::new(answer.status, "ANSWER", "").classify();
        let retry_after = retry_after(&answer.headers);
        classification.retry_after = retry_after;
        let envelope = serde_json::from_slice::<Envelope>(&answer.body);
        let kind = match envelope {
            Ok(envelope) if answer.whole => {
                // The error itself knows best.
                classification.retryable = envelope.recoverable;
                kind(envelope, retry_after)
            }
            _ => Kind::Foreign(described(answer)),
        };
        Self::new(kind, answer, classification)
    }

    /// A success whose body is none of this service's. It may have done its work all the same, and is not
    /// asked again.
    pub(crate) fn of_body(answer: &Answer) -> Self {
        let classification = Classification::new(false, error_runtime::Outcome::Trip);
        Self::new(Kind::Foreign(described(answer)), answer, classification)
    }

    /// Whether the service says so, by this code, and nobody in its place.
    pub(crate) fn is(&self, expected: &str) -> bool {
        matches!(&self.kind, Kind::Other { code, .. } if code == expected)
    }

    fn new(kind: Kind, answer: &Answer, classification: Classification) -> Self {
        Self {
            classification: classification.with_code(kind.name()),
            kind,
            request_id: request_id(&answer.headers),
        }
    }
}

/// What an error of the service is to its callers. Details that are not as they should be make it an
/// `Other`, and not a failure of its own.
fn kind(envelope: Envelope, retry_after: Option<Duration>) -> Kind {
    let details = Value::Object(envelope.details);
    match envelope.code.as_str() {
        "MEETING_CONFLICT" => {
            if let Ok(ConflictDetails {
                conflicting_meetings: with,
            }) = serde_json::from_value(details)
            {
                return Kind::Conflict { with };
            }
        }
        "VALIDATION_ERROR" => {
            if let Ok(InvalidDetails { errors }) = serde_json::from_value(details) {
                return Kind::Invalid { errors };
            }
        }
        _ if envelope.status == 503 => return Kind::Unavailable { retry_after },
        _ => {}
    }
    Kind::Other {
        code: envelope.code,
        message: envelope.message,
    }
}

impl Kind {
    /// For events of the policies.
    const fn name(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "CONFLICT",
            Self::Invalid { .. } => "INVALID",
            Self::Unavailable { .. } => "UNAVAILABLE",
            Self::Other { .. } => "OTHER",
            Self::Foreign(_) => "FOREIGN",
            Self::Unreachable(_) => "UNREACHABLE",
            Self::Rejected(_) => "REJECTED",
        }
    }
}

/// Seconds. The standard allows a date too, which this service does not send.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    Some(headers.get("x-request-id")?.to_str().ok()?.to_owned())
}

/// The start of a body that nobody has declared, fit for a line.
fn described(answer: &Answer) -> String {
    let status = answer.status;
    let text = String::from_utf8_lossy(&answer.body);
    let start: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(60)
        .collect();
    match answer.whole {
        true if start.is_empty() => format!("{status}, nothing in it"),
        true => format!("{status}: {start}"),
        false => format!("{status}, longer than any answer: {start}…"),
    }
}

/// What `#[retry]` and `#[circuit_breaker]` ask.
impl Classify for CallError {
    fn classify(&self) -> Classification {
        self.classification
    }
}

impl From<reqwest::Error> for CallError {
    fn from(error: reqwest::Error) -> Self {
        Self {
            classification: error.classify().with_code("UNREACHABLE"),
            kind: Kind::Unreachable(error),
            request_id: None,
        }
    }
}

/// An open circuit, a time-out.
impl From<Rejected> for CallError {
    fn from(rejected: Rejected) -> Self {
        Self {
            classification: rejected.classify(),
            kind: Kind::Rejected(rejected),
            request_id: None,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Conflict { with } => write!(f, "in conflict with {with:?}")?,
            Kind::Invalid { errors } => {
                f.write_str("invalid")?;
                for Mistake { pointer, message } in errors {
                    write!(f, ", {pointer} {message}")?;
                }
            }
            Kind::Unavailable { retry_after: None } => f.write_str("unavailable")?,
            Kind::Unavailable {
                retry_after: Some(wait),
            } => write!(f, "unavailable for {wait:?}")?,
            Kind::Other { code, message } => write!(f, "{code}: {message}")?,
            Kind::Foreign(answer) => write!(f, "no answer of the service: {answer}")?,
            Kind::Unreachable(error) => write!(f, "unreachable: {error}")?,
            Kind::Rejected(rejected) => write!(f, "not sent: {rejected}")?,
        }
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            Kind::Unreachable(error) => error.source(),
            _ => None,
        }
    }
}

//! All that can go wrong with meetings, each declared once, with its status. No handler and no rule names one.
//! Two places do, which change what is declared here for some clients: `legacy.rs` makes a 400 of a 422 for those
//! of `/v1`, and the routes of `/admin` have a page of their own for a 404.

use error_runtime::common::{AuthorizationError, TokenError};
use error_runtime::{ApiError, Violations};

use crate::meetings::domain::Moment;

#[derive(Debug, ApiError)]
#[api(domain = "meetings", docs = "https://docs.example.com/errors")]
pub(crate) enum MeetingError {
    /// No meeting has this id, or it was cancelled.
    #[api(status = 404, message = "meeting {id} not found", details)]
    MeetingNotFound { id: u64 },

    /// Another meeting has the room at this time.
    #[api(
        status = 409,
        message = "the time conflicts with existing meetings",
        details
    )]
    MeetingConflict {
        start_time: Moment,
        end_time: Moment,
        conflicting_meetings: Vec<u64>,
    },

    /// Nobody more can join. A 409 and not a 422: nothing is wrong with the request, which may be good
    /// again when somebody has left.
    #[api(status = 409, message = "meeting {id} is full", details)]
    MeetingFull { id: u64, capacity: usize },

    /// The input breaks rules; each is listed.
    #[api(
        status = 422,
        code = "VALIDATION_ERROR",
        message = "the input breaks rules"
    )]
    Invalid(#[api(violations)] Violations),

    /// Only the organiser changes or cancels a meeting.
    #[api(
        status = 403,
        message = "only the organiser may do this",
        display = "{user} is not the organiser of meeting {id}",
        category = "security"
    )]
    NotOrganiser { id: u64, user: String },

    /// A change must say which version it is made to.
    #[api(status = 428, message = "say which version you have read: `If-Match`")]
    VersionRequired,

    /// Somebody else was faster.
    #[api(
        status = 412,
        message = "meeting {id} has changed, read it again",
        details
    )]
    StaleVersion { id: u64, current_version: u64 },

    /// The key of an idempotent request cannot be one.
    #[api(
        status = 400,
        message = "an `Idempotency-Key` has 1 to 64 visible ASCII characters"
    )]
    BadIdempotencyKey,

    /// The same key came with another request before.
    #[api(
        status = 422,
        message = "this `Idempotency-Key` belongs to another request"
    )]
    IdempotencyKeyReused,

    /// The store is away. What it says of itself is for the log.
    #[api(
        status = 503,
        message = "the calendar is unavailable",
        display = "the store cannot be reached",
        retry_after = "1s"
    )]
    CalendarUnavailable(#[from] std::io::Error),

    #[api(transparent)]
    Token(#[from] TokenError),

    #[api(transparent)]
    Permission(#[from] AuthorizationError),
}

impl From<Violations> for MeetingError {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}

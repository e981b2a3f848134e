//! What the host's requests leave behind: counted at once, kept in full if there is room.

mod failures;
mod layer;
mod requests;
mod table;

pub(crate) use self::failures::{Failures, Queue, Read as FailuresRead, Recorder};
pub(crate) use self::layer::Uncounted;
pub use self::layer::{CountRequests, CountRequestsFuture, CountRequestsService};
pub(crate) use self::requests::Read as RequestsRead;
pub use self::requests::Requests;

//! Where failures are kept: one trait, which a file and a server implement.

mod batch;
mod plan;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod query;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use error_runtime::time::Timestamp;

pub use self::batch::{
    Batch, CountDelta, JournalEntry, JournalKind, KindDelta, RequestDelta, Series, StoredEvent,
};
pub use self::plan::{CountPart, Resolution};
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use self::postgres::PostgresStore;
pub use self::query::{
    CountQuery, CountRow, Document, EventFilter, EventPage, EventQuery, GroupBy, JournalPage,
    JournalQuery, PatternDetails, PatternQuery, PatternRow, PatternState, RequestQuery, RequestRow,
    Retained, Retention, RouteCount, StoreSize,
};
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use self::sqlite::SqliteStore;
use crate::time::Range;

/// What a store's methods return: a future, so that stores across the network fit too.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps failures, and answers questions about them.
///
/// A store never blocks the thread that polls it, and may be asked from many tasks at once.
pub trait ErrorStore: Send + Sync + fmt::Debug + 'static {
    /// What it is, for people: `sqlite errors.db`. Never with a password.
    fn name(&self) -> Cow<'_, str>;

    /// Takes a batch: all of it, or nothing. One that it has taken before (by instance and number) is left
    /// alone, so that who does not know whether a batch arrived may send it again.
    fn write(&self, batch: Arc<Batch>) -> StoreFuture<'_, ()>;

    /// Whether it could answer now.
    fn ping(&self) -> StoreFuture<'_, ()>;

    /// How often something failed, by group and step of time.
    fn counts<'a>(&'a self, query: &'a CountQuery) -> StoreFuture<'a, Vec<CountRow>>;

    /// How many requests there were, by route and step of time.
    fn requests<'a>(&'a self, query: &'a RequestQuery) -> StoreFuture<'a, Vec<RequestRow>>;

    /// The kinds of failures, in no order.
    fn patterns<'a>(&'a self, query: &'a PatternQuery) -> StoreFuture<'a, Vec<PatternRow>>;

    /// More of some kinds of failures, in the order in which they are asked for.
    fn pattern_details<'a>(
        &'a self,
        fingerprints: &'a [String],
        range: Range,
    ) -> StoreFuture<'a, Vec<PatternDetails>>;

    /// Says what is thought of a kind of failure. False if there is none of this fingerprint.
    fn set_pattern_state<'a>(
        &'a self,
        fingerprint: &'a str,
        state: PatternState,
        by: &'a str,
        at: Timestamp,
    ) -> StoreFuture<'a, bool>;

    /// Single failures, the latest first.
    fn events<'a>(&'a self, query: &'a EventQuery) -> StoreFuture<'a, EventPage>;

    /// What happened besides failures, the latest first.
    fn journal<'a>(&'a self, query: &'a JournalQuery) -> StoreFuture<'a, JournalPage>;

    /// All documents of a kind, by id: rules, silences, alerts, and what waits to be sent.
    fn documents<'a>(&'a self, kind: &'a str) -> StoreFuture<'a, Vec<Document>>;

    /// Writes a document if its version is still the one given (0: there is none). The new version, or nothing
    /// if somebody else was faster.
    fn put_document<'a>(
        &'a self,
        kind: &'a str,
        document: &'a Document,
    ) -> StoreFuture<'a, Option<u64>>;

    /// Removes a document. False if there was none.
    fn delete_document<'a>(&'a self, kind: &'a str, id: &'a str) -> StoreFuture<'a, bool>;

    /// Whether this instance may do for the next while what one instance alone should do.
    fn lead<'a>(
        &'a self,
        instance: &'a str,
        lease: Duration,
        now: Timestamp,
    ) -> StoreFuture<'a, bool>;

    /// Lets go of what is too old or too much.
    fn retain<'a>(&'a self, retention: &'a Retention, now: Timestamp) -> StoreFuture<'a, Retained>;

    /// How much it holds.
    fn size(&self) -> StoreFuture<'_, StoreSize>;

    /// Ends it: what it holds open is closed.
    fn close(&self) -> StoreFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// Why a store did not do what it was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached or opened; it may be later.
    Unavailable(String),
    /// There is no room left.
    Full(String),
    /// It is damaged.
    Damaged(String),
    /// A later release of this crate made it.
    Newer {
        /// The schema that it has.
        found: u32,
        /// The latest schema that is known here.
        known: u32,
    },
    /// Too much is asked of it at once.
    Busy,
    /// Anything else: a mistake, here or there.
    Failed(String),
}

impl StoreError {
    /// Whether another try may succeed without anybody's doing.
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_)
                | Self::Full(_)
                | Self::Damaged(_)
                | Self::Newer { .. }
                | Self::Busy
        )
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the store is unavailable: {why}"),
            Self::Full(why) => write!(f, "the store has no room left: {why}"),
            Self::Damaged(why) => write!(f, "the store is damaged: {why}"),
            Self::Newer { found, known } => write!(
                f,
                "the store has schema {found}, and this release knows schemas up to {known}; \
                 run the release that made it, or give it another store"
            ),
            Self::Busy => f.write_str("too much is asked of the store at once"),
            Self::Failed(why) => write!(f, "the store failed: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

//! The store in `PostgreSQL`, for many machines.

mod connect;
mod keep;
mod read;
mod schema;
mod spool;
mod write;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use error_runtime::time::Timestamp;
use tokio::sync::Mutex;
use tokio_postgres::error::SqlState;

pub(crate) use self::spool::SpooledStore;
use super::{
    Batch, CountQuery, CountRow, Document, ErrorStore, EventPage, EventQuery, JournalPage,
    JournalQuery, PatternDetails, PatternQuery, PatternRow, PatternState, RequestQuery, RequestRow,
    Retained, Retention, Series, StoreError, StoreFuture, StoreSize,
};
use crate::time::Range;

/// Failures in a `PostgreSQL` database, in a schema of their own: `error_monitor`.
///
/// Many processes may write to it. It needs no extension. Who leads is a lock of its connection, so a pooler before it
/// must keep a connection for each session. Connections are encrypted and certificates checked; `sslrootcert=<file>` in the URL names an
/// authority of one's own, and `sslmode=disable` does without encryption.
pub struct PostgresStore {
    name: String,
    pool: Pool,
    /// Whether the schema is as it should be.
    ready: Mutex<bool>,
    /// Numbers of series that are known.
    series: std::sync::Mutex<HashMap<Arc<Series>, i64>>,
    /// Days that have a partition.
    days: std::sync::Mutex<Vec<u64>>,
    /// The connection that holds the lock of the one who leads.
    leading: Mutex<Option<Lent>>,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A server that says nothing for that long is away.
const TIMEOUT: Duration = Duration::from_secs(5);
/// What is let go of may take longer: it is done by nobody who waits.
const LONG_TIMEOUT: Duration = Duration::from_secs(60);

impl PostgresStore {
    /// The store behind this URL. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// If the URL cannot be read, or the file of its authority.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        let (name, pool) = connect::pool(url)?;
        Ok(Self {
            name,
            pool,
            ready: Mutex::new(false),
            series: std::sync::Mutex::default(),
            days: std::sync::Mutex::default(),
            leading: Mutex::new(None),
        })
    }

    /// A connection to a schema that is as it should be.
    async fn connection(&self) -> Result<Lent, StoreError> {
        let mut connection = Lent(Some(self.pool.get().await.map_err(connect::explain_pool)?));
        let mut ready = self.ready.lock().await;
        if !*ready {
            schema::migrate(&mut connection).await?;
            *ready = true;
        }
        Ok(connection)
    }

    /// Does something with a connection, in time. One that was not done with in time is not used again.
    async fn with<T, F>(
        &self,
        most: Duration,
        work: impl FnOnce(Lent) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<(Lent, T), tokio_postgres::Error>>,
    {
        let working = async {
            let connection = self.connection().await?;
            match work(connection).await {
                Ok((connection, done)) => {
                    connection.give_back();
                    Ok(done)
                }
                Err(error) => Err(self.learn(&error).await),
            }
        };
        match tokio::time::timeout(most, working).await {
            Ok(done) => done,
            Err(_) => Err(StoreError::Unavailable(format!(
                "no answer within {most:?}"
            ))),
        }
    }
}

impl PostgresStore {
    /// What an error means. What is not as it was left (somebody has dropped the schema, another process a day)
    /// is made again with the next try.
    async fn learn(&self, error: &tokio_postgres::Error) -> StoreError {
        let explained = explain(error);
        let gone = [
            SqlState::UNDEFINED_TABLE,
            SqlState::INVALID_SCHEMA_NAME,
            SqlState::CHECK_VIOLATION,
            SqlState::FOREIGN_KEY_VIOLATION,
        ];
        if error.code().is_some_and(|code| gone.contains(code)) {
            *self.ready.lock().await = false;
            self.forget();
            return StoreError::Unavailable(explained.to_string());
        }
        explained
    }
}

/// A connection that returns to the pool only if it is given back: one that was given up in the middle of
/// something would make whoever comes next wait for the end of that.
struct Lent(Option<Object>);

impl Lent {
    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(Object::take(connection));
        }
    }
}

impl std::ops::Deref for Lent {
    type Target = Object;

    fn deref(&self) -> &Object {
        match &self.0 {
            Some(connection) => connection,
            None => unreachable!("it was given back, and with it this"),
        }
    }
}

impl std::ops::DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Object {
        match &mut self.0 {
            Some(connection) => connection,
            None => unreachable!("it was given back, and with it this"),
        }
    }
}

/// What an error of `PostgreSQL` means for the store.
fn explain(error: &tokio_postgres::Error) -> StoreError {
    let Some(server) = error.as_db_error() else {
        return StoreError::Unavailable(connect::chain(error));
    };
    let text = format!("{} ({})", server.message(), server.code().code());
    let code = server.code();
    // Only what is wrong with the data itself stays wrong.
    let is_lasting = |class: &str| code.code().starts_with(class);
    if *code == SqlState::DISK_FULL {
        StoreError::Full(text)
    } else if is_lasting("22") || is_lasting("23") {
        StoreError::Failed(text)
    } else {
        StoreError::Unavailable(text)
    }
}

/// Numbers of `PostgreSQL` have a sign; what is beyond their range is as good as their end.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

macro_rules! ask {
    ($store:ident, $function:path $(, $argument:expr)*) => {
        Box::pin($store.with(TIMEOUT, move |connection| async move {
            let done = $function(&connection $(, $argument)*).await?;
            Ok((connection, done))
        }))
    };
}

impl ErrorStore for PostgresStore {
    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }

    fn write(&self, batch: Arc<Batch>) -> StoreFuture<'_, ()> {
        Box::pin(self.with(TIMEOUT, move |mut connection| async move {
            let written = write::batch(self, &mut connection, &batch).await;
            if written.is_err() {
                // What was learnt in a transaction that did not come to its end may not be so.
                self.forget();
            }
            written.map(|()| (connection, ()))
        }))
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        ask!(self, write::ping)
    }

    fn counts<'a>(&'a self, query: &'a CountQuery) -> StoreFuture<'a, Vec<CountRow>> {
        ask!(self, read::counts, query)
    }

    fn requests<'a>(&'a self, query: &'a RequestQuery) -> StoreFuture<'a, Vec<RequestRow>> {
        ask!(self, read::requests, query)
    }

    fn patterns<'a>(&'a self, query: &'a PatternQuery) -> StoreFuture<'a, Vec<PatternRow>> {
        ask!(self, read::patterns, query)
    }

    fn pattern_details<'a>(
        &'a self,
        fingerprints: &'a [String],
        range: Range,
    ) -> StoreFuture<'a, Vec<PatternDetails>> {
        ask!(self, read::pattern_details, fingerprints, range)
    }

    fn set_pattern_state<'a>(
        &'a self,
        fingerprint: &'a str,
        state: PatternState,
        by: &'a str,
        at: Timestamp,
    ) -> StoreFuture<'a, bool> {
        ask!(self, write::pattern_state, fingerprint, state, by, at)
    }

    fn events<'a>(&'a self, query: &'a EventQuery) -> StoreFuture<'a, EventPage> {
        ask!(self, read::events, query)
    }

    fn journal<'a>(&'a self, query: &'a JournalQuery) -> StoreFuture<'a, JournalPage> {
        ask!(self, read::journal, query)
    }

    fn documents<'a>(&'a self, kind: &'a str) -> StoreFuture<'a, Vec<Document>> {
        ask!(self, read::documents, kind)
    }

    fn put_document<'a>(
        &'a self,
        kind: &'a str,
        document: &'a Document,
    ) -> StoreFuture<'a, Option<u64>> {
        ask!(self, write::put_document, kind, document)
    }

    fn delete_document<'a>(&'a self, kind: &'a str, id: &'a str) -> StoreFuture<'a, bool> {
        ask!(self, write::delete_document, kind, id)
    }

    /// By a lock that `PostgreSQL` gives up when its connection ends: the lease is the connection's life.
    fn lead<'a>(&'a self, _: &'a str, _: Duration, _: Timestamp) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let mut leading = self.leading.lock().await;
            let leads = async {
                let (connection, held) = match leading.take() {
                    Some(connection) => (connection, true),
                    None => (self.connection().await?, false),
                };
                let row = connection
                    .query_one(
                        "SELECT CASE WHEN $1 THEN true ELSE pg_try_advisory_lock($2) END",
                        &[&held, &schema::LEADER],
                    )
                    .await
                    .map_err(|error| explain(&error))?;
                Ok::<_, StoreError>((connection, row.get::<_, bool>(0)))
            };
            match tokio::time::timeout(TIMEOUT, leads).await {
                Ok(Ok((connection, true))) => {
                    *leading = Some(connection);
                    Ok(true)
                }
                Ok(Ok((connection, false))) => {
                    connection.give_back();
                    Ok(false)
                }
                Ok(Err(error)) => Err(error),
                Err(_) => Err(StoreError::Unavailable(format!(
                    "no answer within {TIMEOUT:?}"
                ))),
            }
        })
    }

    fn retain<'a>(&'a self, retention: &'a Retention, now: Timestamp) -> StoreFuture<'a, Retained> {
        Box::pin(self.with(LONG_TIMEOUT, move |connection| async move {
            let retained = keep::retain(self, &connection, retention, now).await?;
            Ok((connection, retained))
        }))
    }

    fn size(&self) -> StoreFuture<'_, StoreSize> {
        ask!(self, read::size)
    }

    fn close(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            // The lock goes with its connection, which must not return to the pool.
            drop(self.leading.lock().await.take());
            self.pool.close();
            Ok(())
        })
    }
}

impl PostgresStore {
    fn forget(&self) {
        self.series
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clear();
        self.days
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clear();
    }
}

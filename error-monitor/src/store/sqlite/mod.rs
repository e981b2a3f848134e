//! The store in one `SQLite` file: a thread that writes, and a few that read.

mod counts;
mod file;
mod keep;
mod read;
mod schema;
#[cfg(feature = "postgres")]
mod spool;
mod worker;
mod write;

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use error_runtime::time::Timestamp;
use rusqlite::Connection;

use self::file::Access;
#[cfg(feature = "postgres")]
pub(crate) use self::spool::Spool;
use self::worker::Worker;
use self::write::Known;
use super::{
    Batch, CountQuery, CountRow, Document, ErrorStore, EventPage, EventQuery, JournalPage,
    JournalQuery, PatternDetails, PatternQuery, PatternRow, PatternState, RequestQuery, RequestRow,
    Retained, Retention, StoreError, StoreFuture, StoreSize,
};
use crate::time::Range;

/// Failures in one file, on a local disk.
///
/// It is written by one thread and read by two; a file that cannot be opened is tried again, and one that is
/// damaged is moved aside (`errors.db.damaged-<time>`) and begun anew. The file's mode is 0600.
pub struct SqliteStore {
    name: String,
    writer: Worker<Known>,
    readers: Worker<()>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

const READERS: usize = 2;

impl SqliteStore {
    /// The store in this file, which is made if there is none, its folder too.
    ///
    /// # Errors
    ///
    /// If a later release has made the file. Whatever else is wrong with it may pass: the store is there, and
    /// says [`StoreError::Unavailable`] until it does.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path: PathBuf = path.as_ref().to_owned();
        let name = format!("sqlite {}", path.display());
        let file = Arc::new(file::File::new(path));
        match file.open(Access::Write) {
            Ok(_) => {}
            Err(error @ StoreError::Newer { .. }) => return Err(error),
            Err(error) => {
                tracing::error!(%error, store = name, "the error store cannot be opened yet");
            }
        }
        Ok(Self {
            name,
            writer: Worker::start("error-store", 1, &file, Access::Write)?,
            readers: Worker::start("error-store-read", READERS, &file, Access::Read)?,
        })
    }

    fn write_with<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection, &mut Known) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreFuture<'_, T> {
        Box::pin(self.writer.run(job))
    }

    fn read_with<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreFuture<'_, T> {
        Box::pin(self.readers.run(move |connection, ()| job(connection)))
    }
}

impl ErrorStore for SqliteStore {
    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }

    fn write(&self, batch: Arc<Batch>) -> StoreFuture<'_, ()> {
        self.write_with(move |connection, known| write::batch(connection, known, &batch))
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        self.write_with(|connection, _| write::ping(connection))
    }

    fn counts<'a>(&'a self, query: &'a CountQuery) -> StoreFuture<'a, Vec<CountRow>> {
        let query = query.clone();
        self.read_with(move |connection| counts::counts(connection, &query))
    }

    fn requests<'a>(&'a self, query: &'a RequestQuery) -> StoreFuture<'a, Vec<RequestRow>> {
        let query = query.clone();
        self.read_with(move |connection| counts::requests(connection, &query))
    }

    fn patterns<'a>(&'a self, query: &'a PatternQuery) -> StoreFuture<'a, Vec<PatternRow>> {
        let query = query.clone();
        self.read_with(move |connection| counts::patterns(connection, &query))
    }

    fn pattern_details<'a>(
        &'a self,
        fingerprints: &'a [String],
        range: Range,
    ) -> StoreFuture<'a, Vec<PatternDetails>> {
        let fingerprints = fingerprints.to_owned();
        self.read_with(move |connection| counts::pattern_details(connection, &fingerprints, range))
    }

    fn set_pattern_state<'a>(
        &'a self,
        fingerprint: &'a str,
        state: PatternState,
        by: &'a str,
        at: Timestamp,
    ) -> StoreFuture<'a, bool> {
        let (fingerprint, by) = (fingerprint.to_owned(), by.to_owned());
        self.write_with(move |connection, _| {
            write::pattern_state(connection, &fingerprint, state, &by, at)
        })
    }

    fn events<'a>(&'a self, query: &'a EventQuery) -> StoreFuture<'a, EventPage> {
        let query = query.clone();
        self.read_with(move |connection| read::events(connection, &query))
    }

    fn journal<'a>(&'a self, query: &'a JournalQuery) -> StoreFuture<'a, JournalPage> {
        let query = query.clone();
        self.read_with(move |connection| read::journal(connection, &query))
    }

    fn documents<'a>(&'a self, kind: &'a str) -> StoreFuture<'a, Vec<Document>> {
        let kind = kind.to_owned();
        self.read_with(move |connection| read::documents(connection, &kind))
    }

    fn put_document<'a>(
        &'a self,
        kind: &'a str,
        document: &'a Document,
    ) -> StoreFuture<'a, Option<u64>> {
        let (kind, document) = (kind.to_owned(), document.clone());
        self.write_with(move |connection, _| write::put_document(connection, &kind, &document))
    }

    fn delete_document<'a>(&'a self, kind: &'a str, id: &'a str) -> StoreFuture<'a, bool> {
        let (kind, id) = (kind.to_owned(), id.to_owned());
        self.write_with(move |connection, _| write::delete_document(connection, &kind, &id))
    }

    fn lead<'a>(
        &'a self,
        instance: &'a str,
        lease: Duration,
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        let instance = instance.to_owned();
        self.write_with(move |connection, _| write::lead(connection, &instance, lease, now))
    }

    fn retain<'a>(&'a self, retention: &'a Retention, now: Timestamp) -> StoreFuture<'a, Retained> {
        let retention = *retention;
        Box::pin(async move {
            let mut all = Retained::default();
            // In parts, so that batches get their turn between them.
            loop {
                let job = move |connection: &mut Connection, known: &mut Known| {
                    keep::part(connection, known, &retention, now)
                };
                let (part, more) = self.writer.run(job).await?;
                all.events += part.events;
                all.counts += part.counts;
                all.journal += part.journal;
                if !more {
                    return Ok(all);
                }
            }
        })
    }

    fn size(&self) -> StoreFuture<'_, StoreSize> {
        self.read_with(read::size)
    }

    fn close(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.readers.stop().await;
            self.writer.stop().await;
            Ok(())
        })
    }
}

/// Numbers of `SQLite` have a sign; what is beyond its range is as good as its end.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

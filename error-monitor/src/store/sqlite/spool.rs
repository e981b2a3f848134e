//! Batches that wait for another store, in a file of the same kind.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use super::file::{Access, File};
use super::worker::Worker;
use super::{read, unsigned};
use crate::store::StoreError;

/// A queue on disk.
pub(crate) struct Spool(Worker<()>);

/// What waits is at most so large: a disk is not to be filled by an outage.
const MAX_BYTES: u64 = 2 << 30;

impl Spool {
    pub(crate) fn open(path: PathBuf) -> Result<Self, StoreError> {
        let file = Arc::new(File::new(path));
        Worker::start("error-spool", 1, &file, Access::Write).map(Self)
    }

    pub(crate) async fn push(&self, body: Vec<u8>) -> Result<(), StoreError> {
        let pushed = self.0.run(move |connection, ()| {
            if read::size(connection)?.bytes > MAX_BYTES {
                return Ok(false);
            }
            connection
                .prepare_cached("INSERT INTO spool (body) VALUES (?1)")?
                .execute(params![body])
                .map(|_| true)
        });
        if pushed.await? {
            Ok(())
        } else {
            Err(StoreError::Full("too much waits for PostgreSQL".to_owned()))
        }
    }

    pub(crate) async fn first(&self) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
        let first = self.0.run(|connection, ()| {
            connection
                .prepare_cached("SELECT place, body FROM spool ORDER BY place LIMIT 1")?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        });
        first.await
    }

    pub(crate) async fn remove(&self, place: i64) -> Result<(), StoreError> {
        let removed = self.0.run(move |connection, ()| {
            connection
                .prepare_cached("DELETE FROM spool WHERE place = ?1")?
                .execute(params![place])?;
            connection
                .query_row("PRAGMA incremental_vacuum(1000)", [], |_| Ok(()))
                .optional()
        });
        removed.await.map(|_| ())
    }

    pub(crate) async fn length(&self) -> Result<u64, StoreError> {
        let length = self.0.run(|connection, ()| {
            connection
                .prepare_cached("SELECT count(*) FROM spool")?
                .query_row([], |row| row.get(0))
                .map(unsigned)
        });
        length.await
    }

    pub(crate) async fn close(&self) {
        self.0.stop().await;
    }
}

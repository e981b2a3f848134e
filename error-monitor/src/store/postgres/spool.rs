//! A file that stands in for `PostgreSQL` while it is away: batches wait there, and are sent in their order.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use error_runtime::time::Timestamp;
use tokio::sync::{Mutex, Notify};

use super::PostgresStore;
use crate::store::sqlite::Spool;
use crate::store::{
    Batch, CountQuery, CountRow, Document, ErrorStore, EventPage, EventQuery, JournalPage,
    JournalQuery, PatternDetails, PatternQuery, PatternRow, PatternState, RequestQuery, RequestRow,
    Retained, Retention, StoreError, StoreFuture, StoreSize,
};
use crate::time::Range;

/// `PostgreSQL`, and the file beside it.
pub(crate) struct SpooledStore {
    inner: Arc<Inner>,
    sending: tokio::task::JoinHandle<()>,
}

struct Inner {
    remote: PostgresStore,
    spool: Spool,
    /// How many batches wait, once that is known. Whoever writes holds it: a batch is sent only if none waits.
    waiting: Mutex<Option<u64>>,
    /// Batches that `PostgreSQL` refused for what they are.
    refused: AtomicU64,
    wake: Notify,
}

impl std::fmt::Debug for SpooledStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpooledStore")
            .field("remote", &self.inner.remote)
            .finish_non_exhaustive()
    }
}

/// Between two tries to send what waits.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LAST_PAUSE: Duration = Duration::from_secs(15);

impl SpooledStore {
    /// Must be called where tokio runs: what waits is sent by a task.
    pub(crate) fn open(url: &str, spool: impl AsRef<Path>) -> Result<Self, StoreError> {
        let spool: PathBuf = spool.as_ref().to_owned();
        let inner = Arc::new(Inner {
            remote: PostgresStore::new(url)?,
            spool: Spool::open(spool)?,
            waiting: Mutex::new(None),
            refused: AtomicU64::new(0),
            wake: Notify::new(),
        });
        let sending = tokio::spawn(Inner::send_all(Arc::downgrade(&inner)));
        Ok(Self { inner, sending })
    }
}

impl Inner {
    /// How many wait, by the file if it has not been asked yet.
    async fn count(&self, waiting: &mut Option<u64>) -> Result<u64, StoreError> {
        match *waiting {
            Some(count) => Ok(count),
            None => {
                let count = self.spool.length().await?;
                *waiting = Some(count);
                Ok(count)
            }
        }
    }

    async fn write(&self, batch: Arc<Batch>) -> Result<(), StoreError> {
        let mut waiting = self.waiting.lock().await;
        // Of a file that cannot be read nobody knows whether something waits in it, which would be overtaken; if
        // nothing ever did, PostgreSQL alone is enough.
        let count = self.count(&mut waiting).await.ok();
        if count.is_none_or(|count| count == 0) {
            match self.remote.write(Arc::clone(&batch)).await {
                Err(error) if error.is_passing() => {
                    tracing::warn!(%error, "PostgreSQL is away; failures wait in a file");
                }
                done => return done,
            }
        }
        let body =
            serde_json::to_vec(&*batch).map_err(|error| StoreError::Failed(error.to_string()))?;
        self.spool.push(body).await?;
        *waiting = count.map(|count| count + 1);
        self.wake.notify_one();
        Ok(())
    }

    /// Sends what waits, for as long as anybody has the store.
    async fn send_all(inner: std::sync::Weak<Self>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let Some(this) = inner.upgrade() else {
                return;
            };
            match this.send_first().await {
                Ok(true) => pause = FIRST_PAUSE,
                Ok(false) => {
                    pause = FIRST_PAUSE;
                    let woken = this.wake.notified();
                    let _ = tokio::time::timeout(LAST_PAUSE, woken).await;
                }
                Err(error) => {
                    tracing::debug!(%error, "what waits cannot be sent yet");
                    drop(this);
                    // Many processes wait for the same server.
                    tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
                    pause = (pause * 2).min(LAST_PAUSE);
                }
            }
        }
    }

    /// Sends the batch that has waited longest. Whether there was one.
    async fn send_first(&self) -> Result<bool, StoreError> {
        if self.count(&mut *self.waiting.lock().await).await? == 0 {
            return Ok(false);
        }
        let Some((place, body)) = self.spool.first().await? else {
            *self.waiting.lock().await = None;
            return Ok(false);
        };
        match serde_json::from_slice::<Batch>(&body) {
            Ok(batch) => match self.remote.write(Arc::new(batch)).await {
                Ok(()) => {}
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => self.refuse(&error.to_string()),
            },
            Err(error) => self.refuse(&error.to_string()),
        }
        let mut waiting = self.waiting.lock().await;
        self.spool.remove(place).await?;
        *waiting = waiting.map(|count| count.saturating_sub(1));
        if *waiting == Some(0) {
            tracing::info!("PostgreSQL has all that waited for it");
        }
        Ok(true)
    }

    fn refuse(&self, error: &str) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        tracing::error!(error, "PostgreSQL refused a batch that waited; it is lost");
    }
}

macro_rules! forward {
    ($($name:ident<$life:lifetime>($($argument:ident: $ty:ty),*) -> $answer:ty;)*) => {$(
        fn $name<$life>(&$life self, $($argument: $ty),*) -> StoreFuture<$life, $answer> {
            self.inner.remote.$name($($argument),*)
        }
    )*};
}

impl ErrorStore for SpooledStore {
    fn name(&self) -> Cow<'_, str> {
        self.inner.remote.name()
    }

    fn write(&self, batch: Arc<Batch>) -> StoreFuture<'_, ()> {
        Box::pin(self.inner.write(batch))
    }

    forward! {
        ping<'a>() -> ();
        counts<'a>(query: &'a CountQuery) -> Vec<CountRow>;
        requests<'a>(query: &'a RequestQuery) -> Vec<RequestRow>;
        patterns<'a>(query: &'a PatternQuery) -> Vec<PatternRow>;
        pattern_details<'a>(fingerprints: &'a [String], range: Range) -> Vec<PatternDetails>;
        set_pattern_state<'a>(fingerprint: &'a str, state: PatternState, by: &'a str, at: Timestamp) -> bool;
        events<'a>(query: &'a EventQuery) -> EventPage;
        journal<'a>(query: &'a JournalQuery) -> JournalPage;
        documents<'a>(kind: &'a str) -> Vec<Document>;
        put_document<'a>(kind: &'a str, document: &'a Document) -> Option<u64>;
        delete_document<'a>(kind: &'a str, id: &'a str) -> bool;
        lead<'a>(instance: &'a str, lease: Duration, now: Timestamp) -> bool;
        retain<'a>(retention: &'a Retention, now: Timestamp) -> Retained;
        size<'a>() -> StoreSize;
    }

    fn close(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.sending.abort();
            self.inner.spool.close().await;
            self.inner.remote.close().await
        })
    }
}

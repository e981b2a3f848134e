//! The object storage. While it is slow or away, uploads go to the local disk, from where they are moved later.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Method;
use error_runtime::{ApiError, Rejected, circuit_breaker, recover, timeout};
use serde::Serialize;

use crate::app::App;
use crate::remote::Remote;
use crate::stop::Stop;
use crate::story::Story;

/// Clients read it only when the local disk fails too.
#[derive(Debug, ApiError)]
#[api(domain = "storage", prefix = "STORAGE")]
pub(crate) enum StorageError {
    #[api(status = 503, display = "the object storage answered {status}")]
    Busy { status: u16 },
    #[api(status = 502, display = "the object storage cannot be reached")]
    Unreachable(#[from] reqwest::Error),
    #[api(
        status = 500,
        code = "STORAGE_DISK",
        display = "the local disk takes nothing"
    )]
    Disk(#[from] std::io::Error),
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

/// Where an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    ObjectStorage,
    Local,
}

pub(crate) struct Storage {
    server: Remote,
    folder: PathBuf,
    /// Uploads that wait on the local disk, the next to be moved first.
    waiting: Mutex<VecDeque<u64>>,
    story: Story,
}

impl Storage {
    /// Uploads that fall back are files in this folder.
    pub(crate) fn new(server: Remote, folder: PathBuf, story: &Story) -> std::io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            server,
            folder,
            waiting: Mutex::default(),
            story: story.clone(),
        })
    }

    /// Fallback, retry and breaker in one line. Slow calls open the circuit too: rather the disk than a client
    /// that waits.
    #[recover(
        service = "storage",
        operation = "storage.put",
        attempts = 2,
        base = "50ms",
        failures = 5,
        slow_call = "400ms",
        slow_rate = 0.5,
        window = 20,
        recovery = "2s",
        recovery_factor = 1.5,
        recovery_max = "5s",
        half_open = 2,
        fallback = self.save_locally(id, content, &error).await
    )]
    #[timeout("1s")]
    pub(crate) async fn put(&self, id: u64, content: &Bytes) -> Result<Place, StorageError> {
        self.send(id, content).await
    }

    /// The same without a fallback, for what is on the disk already. It has the breaker of `put`, with the rules
    /// that stand there.
    #[circuit_breaker(service = "storage")]
    #[timeout("1s")]
    async fn move_one(&self, id: u64, content: &Bytes) -> Result<Place, StorageError> {
        self.send(id, content).await
    }

    async fn send(&self, id: u64, content: &Bytes) -> Result<Place, StorageError> {
        let request = self.server.request(Method::PUT, &format!("/objects/{id}"));
        let answer = request.body(content.clone()).send().await?;
        match answer.status().as_u16() {
            200..=299 => Ok(Place::ObjectStorage),
            status => Err(StorageError::Busy { status }),
        }
    }

    async fn save_locally(
        &self,
        id: u64,
        content: &Bytes,
        error: &StorageError,
    ) -> Result<Place, StorageError> {
        tracing::warn!(id, %error, "an upload goes to the local disk");
        tokio::fs::write(self.file(id), content).await?;
        Ok(Place::Local)
    }

    fn file(&self, id: u64) -> PathBuf {
        self.folder.join(format!("{id}.upload"))
    }

    /// This one is on the disk, and is to be moved.
    pub(crate) fn waits(&self, id: u64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back(id);
        if waiting.len() == 1 {
            self.story.say("storage: uploads go to the local disk");
        }
    }

    pub(crate) fn waiting(&self) -> Vec<u64> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().copied().collect()
    }

    /// No longer on the disk; how many still are.
    fn is_moved(&self, id: u64) -> usize {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|waits| *waits != id);
        waiting.len()
    }

    /// It cannot be moved now, and is the last to be tried again: what fails always stops nothing.
    fn stays(&self, id: u64, error: &StorageError) {
        tracing::info!(id, %error, "an upload stays on the local disk");
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|waits| *waits != id);
        waiting.push_back(id);
    }
}

/// Moves what waits on the disk, and goes on where one fails, until the breaker leaves the storage alone. How many
/// were moved.
pub(crate) async fn move_waiting(app: &App) -> usize {
    let mut moved = 0;
    for id in app.storage.waiting() {
        match move_to_storage(app, id).await {
            Ok(()) => moved += 1,
            Err(error) => {
                app.storage.stays(id, &error);
                if matches!(error, StorageError::Rejected(Rejected::CircuitOpen(_))) {
                    break;
                }
            }
        }
    }
    moved
}

async fn move_to_storage(app: &App, id: u64) -> Result<(), StorageError> {
    let storage = &app.storage;
    let file = storage.file(id);
    let content = Bytes::from(tokio::fs::read(&file).await?);
    storage.move_one(id, &content).await?;
    app.uploads.moved(id);
    tokio::fs::remove_file(&file).await?;
    if storage.is_moved(id) == 0 {
        storage
            .story
            .say("storage: everything on the local disk was moved to the object storage");
    }
    Ok(())
}

/// Does it again and again.
pub(crate) async fn mover(app: Arc<App>, mut stop: Stop) {
    while !stop.within(Duration::from_millis(500)).await {
        move_waiting(&app).await;
    }
}

//! Threads that own connections, and do what is asked of them one after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::file::{Access, File, Open};
use crate::store::StoreError;

/// What a thread is asked to do.
type Job<S> = Box<dyn FnOnce(&mut Desk<S>) + Send>;

/// Threads of one kind, with a queue that has an end. What each keeps beside its connection is an `S`, which
/// holds for that connection alone.
pub(super) struct Worker<S> {
    jobs: Mutex<Option<SyncSender<Job<S>>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// A thread's connection, if it has one.
struct Desk<S> {
    file: Arc<File>,
    access: Access,
    open: Option<(Open, S)>,
}

/// More jobs than that at once are more than a file can do.
const QUEUE: usize = 256;

impl<S: Default + Send + 'static> Worker<S> {
    pub(super) fn start(
        name: &str,
        threads: usize,
        file: &Arc<File>,
        access: Access,
    ) -> Result<Self, StoreError> {
        let (jobs, queue) = sync_channel::<Job<S>>(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        let mut handles = Vec::new();
        for _ in 0..threads {
            let queue = Arc::clone(&queue);
            let mut desk = Desk {
                file: Arc::clone(file),
                access,
                open: None,
            };
            let thread = std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || {
                    while let Some(job) = next(&queue) {
                        job(&mut desk);
                    }
                })
                .map_err(|error| StoreError::Unavailable(error.to_string()))?;
            handles.push(thread);
        }
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            threads: Mutex::new(handles),
        })
    }

    /// Does it on one of the threads. Once begun it is done, even if nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection, &mut S) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, waiting) = oneshot::channel();
        let job: Job<S> = Box::new(move |desk| {
            // Who has gone before it began is not answered: a change has its own task, which does not go.
            if !answer.is_closed() {
                let _ = answer.send(desk.run(job));
            }
        });
        {
            let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(jobs) = &*jobs else {
                return Err(StoreError::Unavailable("it was closed".to_owned()));
            };
            jobs.try_send(job).map_err(|error| match error {
                TrySendError::Full(_) => StoreError::Busy,
                TrySendError::Disconnected(_) => {
                    StoreError::Failed("its thread has ended".to_owned())
                }
            })?;
        }
        waiting
            .await
            .unwrap_or_else(|_| Err(StoreError::Failed("its thread panicked".to_owned())))
    }

    /// Lets the threads finish what is queued, and closes their connections.
    pub(super) async fn stop(&self) {
        drop(
            self.jobs
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                let _ = thread.join();
            }
        });
        let _ = joined.await;
    }
}

fn next<S>(queue: &Mutex<Receiver<Job<S>>>) -> Option<Job<S>> {
    queue
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .recv()
        .ok()
}

impl<S: Default> Desk<S> {
    fn run<T>(
        &mut self,
        job: impl FnOnce(&mut Connection, &mut S) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        // Another thread may have moved the file aside.
        if self
            .open
            .as_ref()
            .is_some_and(|(open, _)| !self.file.is_current(open))
        {
            self.open = None;
        }
        if self.open.is_none() {
            self.open = Some((self.file.open(self.access)?, S::default()));
        }
        let Some((open, state)) = &mut self.open else {
            return Err(StoreError::Busy);
        };
        // A panic in here is a mistake of ours; it costs this job, and not the store.
        let done = catch_unwind(AssertUnwindSafe(|| job(&mut open.connection, state)));
        let Ok(done) = done else {
            self.open = None;
            return Err(StoreError::Failed("a job of the store panicked".to_owned()));
        };
        let error = match done {
            Ok(done) => return Ok(done),
            Err(error) => self.file.explain(&error),
        };
        // Whatever was known of the file may not have been written.
        *state = S::default();
        let generation = open.generation;
        match &error {
            StoreError::Damaged(_) => {
                self.open = None;
                self.file.move_aside(generation, &error);
            }
            StoreError::Unavailable(_) => self.open = None,
            _ => {}
        }
        Err(error)
    }
}

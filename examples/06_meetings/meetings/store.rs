//! Where meetings are kept.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::DerefMut;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::meetings::domain::{Meeting, Plan};
use crate::meetings::preconditions::IdempotencyKey;

/// A store gives its book to one at a time.
pub(crate) trait Store: Send + Sync {
    /// The book, until it is dropped. What a caller changes stays, so rules are checked first.
    fn open(&self) -> io::Result<Box<dyn DerefMut<Target = Book> + '_>>;
}

/// All meetings, and which requests were carried out under a key.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) meetings: BTreeMap<u64, Meeting>,
    /// By user and key. A store of one's own forgets them after a day.
    pub(crate) answered: HashMap<(&'static str, IdempotencyKey), (Plan, Meeting)>,
    last_id: u64,
}

impl Book {
    /// No meeting ever had it.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

/// A book in memory.
#[derive(Default)]
pub(crate) struct MemoryStore(Mutex<Book>);

impl Store for MemoryStore {
    fn open(&self) -> io::Result<Box<dyn DerefMut<Target = Book> + '_>> {
        // A meeting is entered at once or not at all, so the book is whole after a panic too.
        let book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(book))
    }
}

/// How many of the next calls find no store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outage(Arc<AtomicU32>);

/// The same as it is sent to the server and answered.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct OutageCalls {
    calls: u32,
}

impl Outage {
    pub(crate) fn set(&self, outage: &OutageCalls) {
        self.0.store(outage.calls, Ordering::Relaxed);
    }

    /// Whether this call is one of them.
    fn takes(&self) -> bool {
        let take = |calls: u32| calls.checked_sub(1);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }
}

/// A store that can be taken away.
pub(crate) struct Flaky<S> {
    store: S,
    outage: Outage,
}

impl<S> Flaky<S> {
    pub(crate) const fn new(store: S, outage: Outage) -> Self {
        Self { store, outage }
    }
}

impl<S: Store> Store for Flaky<S> {
    fn open(&self) -> io::Result<Box<dyn DerefMut<Target = Book> + '_>> {
        if self.outage.takes() {
            return Err(io::Error::other("10.0.0.7:5432 refused the connection"));
        }
        self.store.open()
    }
}

//! What the monitor's parts have in common.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use error_runtime::TransitionEvent;
use error_runtime::time::Timestamp;
use serde_json::json;

use crate::pump::PumpCounts;
use crate::record::{Failures, Requests};
use crate::store::{JournalEntry, JournalKind, StoredEvent};
use crate::text::clean;

/// Tells the time; a test's moves as the test wants.
pub(crate) type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub(crate) struct Shared {
    /// The process: its name, and what tells it from its predecessors.
    pub(crate) instance: Arc<str>,
    pub(crate) started: Timestamp,
    pub(crate) failures: Arc<Failures>,
    pub(crate) requests: Requests,
    pub(crate) pump: PumpCounts,
    now: Now,
    sequence: AtomicU64,
    journal: Mutex<VecDeque<JournalEntry>>,
    /// Entries of the journal for which there was no room.
    pub(crate) journal_dropped: AtomicU64,
}

/// How many entries wait for the store.
const MAX_JOURNAL: usize = 10_000;

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(instance: Arc<str>, failures: Arc<Failures>, now: Now) -> Self {
        Self {
            instance,
            started: now(),
            failures,
            requests: Requests::default(),
            pump: PumpCounts::default(),
            now,
            // Processes that share a store rarely have the same number in the same millisecond.
            sequence: AtomicU64::new(fastrand::u64(..)),
            journal: Mutex::default(),
            journal_dropped: AtomicU64::new(0),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    pub(crate) fn next_id(&self, time: u64) -> u64 {
        StoredEvent::make_id(time, self.sequence.fetch_add(1, Ordering::Relaxed))
    }

    /// Notes that something happened. It reaches the store with the next batch.
    pub(crate) fn note(&self, kind: JournalKind, subject: &str, body: serde_json::Value) {
        let id = self.next_id(self.now().unix_millis());
        let entry = JournalEntry {
            id,
            kind,
            subject: clean(subject, 256),
            body,
        };
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        if journal.len() >= MAX_JOURNAL {
            self.journal_dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        journal.push_back(entry);
    }

    pub(crate) fn take_journal(&self) -> VecDeque<JournalEntry> {
        std::mem::take(&mut *self.journal.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes what a breaker did.
    pub(crate) fn note_transition(&self, event: &TransitionEvent) {
        let transition = &event.transition;
        let body = json!({
            "from": transition.from.as_str(),
            "to": transition.to.as_str(),
            "at": Timestamp::from(transition.at),
        });
        self.note(JournalKind::Breaker, event.service.as_ref(), body);
    }
}

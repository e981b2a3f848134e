//! From the counters and the queue to the store: a batch every second, written once each.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use error_runtime::{ErrorEvent, Level};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

use crate::record::{FailuresRead, Queue, RequestsRead};
use crate::shared::Shared;
use crate::store::{
    Batch, CountDelta, ErrorStore, JournalEntry, RequestDelta, Series, StoreError, StoredEvent,
};
use crate::text::clean;
use crate::time::{HOUR, MINUTE, floor};

/// What the pump is asked to do besides.
pub(crate) enum Command {
    /// Write what there is; then whether the store has it.
    Flush(oneshot::Sender<bool>),
    /// The same, and end.
    Stop(oneshot::Sender<bool>),
}

/// What has become of failures on their way to the store.
#[derive(Debug, Default)]
pub(crate) struct PumpCounts {
    pub(crate) written: AtomicU64,
    pub(crate) failed_writes: AtomicU64,
    /// Failures in full for which there was no room while the store was away.
    pub(crate) dropped: AtomicU64,
}

/// A batch is no larger than that: it is written in one transaction.
const BATCH: usize = 2_000;
/// Nor is it larger than about that, in bytes of texts: a store has a few seconds for it.
const BATCH_BYTES: usize = 4 << 20;
/// How many failures in full wait for a store that is away.
const MAX_WAITING: usize = 20_000;
/// How many entries of the journal do.
const MAX_WAITING_JOURNAL: usize = 10_000;
/// Beyond so many numbers, those of an hour are put together.
const MAX_COUNTS: usize = 100_000;
/// How long the end of a service waits for its store.
const LAST_WRITE: Duration = Duration::from_secs(10);

pub(crate) struct Pump {
    shared: Arc<Shared>,
    store: Arc<dyn ErrorStore>,
    queue: Queue,
    failures_read: FailuresRead,
    requests_read: RequestsRead,
    waiting: Waiting,
    /// The batch that the store has not confirmed. It stays as it is: the store may have it.
    in_flight: Option<Arc<Batch>>,
    number: u64,
    was_away: bool,
}

/// What is in no batch yet.
#[derive(Default)]
struct Waiting {
    events: Vec<StoredEvent>,
    counts: HashMap<(Arc<Series>, u64), (u64, u64)>,
    requests: HashMap<(Arc<str>, u64), [u64; 3]>,
    journal: Vec<JournalEntry>,
}

impl Pump {
    pub(crate) fn new(shared: Arc<Shared>, store: Arc<dyn ErrorStore>, queue: Queue) -> Self {
        Self {
            shared,
            store,
            queue,
            failures_read: FailuresRead::default(),
            requests_read: RequestsRead::default(),
            waiting: Waiting::default(),
            in_flight: None,
            number: 0,
            was_away: false,
        }
    }

    /// Runs until it is stopped, or nobody is left who could.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>, every: Duration) {
        let mut ticks = tokio::time::interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shared = Arc::clone(&self.shared);
        loop {
            let command = tokio::select! {
                _ = ticks.tick() => None,
                () = shared.failures.wake.notified() => {
                    if self.in_flight.is_some() {
                        // The store is away: it is asked with the next tick, not as often as something fails.
                        self.gather();
                        continue;
                    }
                    None
                }
                command = commands.recv() => Some(command),
            };
            match command {
                None => {
                    self.write_all().await;
                }
                Some(Some(Command::Flush(done))) => {
                    let _ = done.send(self.write_all().await);
                }
                Some(Some(Command::Stop(done))) => {
                    let _ = done.send(self.end().await);
                    return;
                }
                Some(None) => {
                    self.end().await;
                    return;
                }
            }
        }
    }

    async fn end(&mut self) -> bool {
        let end = Instant::now() + LAST_WRITE;
        loop {
            let written = tokio::time::timeout_at(end, self.write_all())
                .await
                .unwrap_or(false);
            if written || Instant::now() + Duration::from_millis(100) > end {
                let _ = tokio::time::timeout(LAST_WRITE, self.store.close()).await;
                return written;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Gathers and writes until there is nothing left, or the store does not take it.
    async fn write_all(&mut self) -> bool {
        loop {
            let full = self.gather();
            if self.in_flight.is_none() {
                self.in_flight = self.next_batch().map(Arc::new);
            }
            let Some(batch) = self.in_flight.clone() else {
                return true;
            };
            if !self.write(batch).await {
                return false;
            }
            self.in_flight = None;
            if !full && self.waiting.is_empty() {
                return true;
            }
        }
    }

    async fn write(&mut self, batch: Arc<Batch>) -> bool {
        let events = batch.events.len() as u64;
        let sent = Arc::clone(&batch);
        match self.store.write(batch).await {
            Ok(()) => {
                self.shared
                    .pump
                    .written
                    .fetch_add(events, Ordering::Relaxed);
                if std::mem::take(&mut self.was_away) {
                    tracing::info!(store = %self.store.name(), "the error store takes failures again");
                }
                true
            }
            Err(error) => {
                self.shared
                    .pump
                    .failed_writes
                    .fetch_add(1, Ordering::Relaxed);
                if !error.is_passing() {
                    self.refused(&sent, &error);
                } else if !std::mem::replace(&mut self.was_away, true) {
                    tracing::warn!(%error, "the error store is away; failures wait for it");
                }
                false
            }
        }
    }

    /// What is wrong with the batch itself would be wrong again, and hold up all that comes after it. Its texts go
    /// first: they are the strangers' part of it, and a sample; its numbers are tried once more without them.
    fn refused(&mut self, batch: &Batch, error: &StoreError) {
        let events = batch.events.len() as u64;
        self.shared
            .pump
            .dropped
            .fetch_add(events, Ordering::Relaxed);
        if events > 0 {
            tracing::error!(%error, events, "the error store refused failures in full; they are counted only");
            let numbers = Batch {
                events: Vec::new(),
                ..batch.clone()
            };
            self.in_flight = Some(Arc::new(numbers));
        } else {
            let (counts, journal) = (batch.counts.len(), batch.journal.len());
            tracing::error!(%error, counts, journal, "the error store refused a batch, which is lost");
            self.in_flight = None;
        }
    }

    /// Takes in what has come since. Whether there may be more at once.
    fn gather(&mut self) -> bool {
        let shared = Arc::clone(&self.shared);
        let more = self.take_events(&shared);
        // After the events: a failure is counted before it is queued, so a batch counts all that it holds.
        let now = shared.now();
        let mut counts = Vec::new();
        shared
            .failures
            .read(&mut self.failures_read, now.unix_millis(), &mut counts);
        let mut requests = Vec::new();
        shared
            .requests
            .read(&mut self.requests_read, now.unix_millis(), &mut requests);
        self.waiting.add_counts(counts);
        self.waiting.add_requests(requests);
        for entry in shared.take_journal() {
            if self.waiting.journal.len() < MAX_WAITING_JOURNAL {
                self.waiting.journal.push(entry);
            } else {
                shared.journal_dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
        more
    }

    /// Takes failures in full out of the queue. Whether there may be more at once.
    fn take_events(&mut self, shared: &Shared) -> bool {
        let mut taken = 0;
        while taken < BATCH {
            let Some(event) = self.queue.next(&shared.failures) else {
                return false;
            };
            taken += 1;
            if self.waiting.events.len() >= MAX_WAITING {
                shared.pump.dropped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            self.waiting.events.extend(stored(&event, shared));
        }
        true
    }

    fn next_batch(&mut self) -> Option<Batch> {
        if self.waiting.is_empty() {
            return None;
        }
        self.number += 1;
        let waiting = &mut self.waiting;
        let mut bytes = 0;
        let fits = waiting.events.iter().take(BATCH).take_while(|event| {
            bytes += size_of_stored(event);
            bytes <= BATCH_BYTES
        });
        // One alone is written however large it is.
        let count = fits.count().max(1).min(waiting.events.len());
        let rest = waiting.events.split_off(count);
        let counts = std::mem::take(&mut waiting.counts).into_iter();
        let requests = std::mem::take(&mut waiting.requests).into_iter();
        Some(Batch {
            instance: Arc::clone(&self.shared.instance),
            number: self.number,
            sealed: self.shared.now().unix_millis(),
            events: std::mem::replace(&mut waiting.events, rest),
            counts: counts
                .map(|((series, minute), (count, last))| CountDelta {
                    series,
                    minute,
                    count,
                    last,
                })
                .collect(),
            requests: requests
                .map(
                    |((route, minute), [total, client_errors, server_errors])| RequestDelta {
                        route,
                        minute,
                        total,
                        client_errors,
                        server_errors,
                    },
                )
                .collect(),
            journal: waiting
                .journal
                .drain(..waiting.journal.len().min(BATCH))
                .collect(),
        })
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.counts.is_empty()
            && self.requests.is_empty()
            && self.journal.is_empty()
    }

    fn add_counts(&mut self, deltas: Vec<CountDelta>) {
        let step = if self.counts.len() > MAX_COUNTS {
            HOUR
        } else {
            MINUTE
        };
        for delta in deltas {
            let minute = floor(delta.minute, step);
            let sum = self.counts.entry((delta.series, minute)).or_default();
            sum.0 += delta.count;
            sum.1 = sum.1.max(delta.last);
        }
    }

    fn add_requests(&mut self, deltas: Vec<RequestDelta>) {
        let step = if self.requests.len() > MAX_COUNTS {
            HOUR
        } else {
            MINUTE
        };
        for delta in deltas {
            let sum = self
                .requests
                .entry((delta.route, floor(delta.minute, step)))
                .or_default();
            sum[0] += delta.total;
            sum[1] += delta.client_errors;
            sum[2] += delta.server_errors;
        }
    }
}

fn size_of_stored(event: &StoredEvent) -> usize {
    let long = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    event.message.len()
        + event.display.len()
        + event.chain.iter().map(String::len).sum::<usize>()
        + long(&event.details)
        + long(&event.backtrace)
        + 512
}

/// The longest texts that are kept of one failure.
const MESSAGE: usize = 2 * 1024;
const DISPLAY: usize = 4 * 1024;
const LINKS: usize = 16;
const LINK: usize = 1024;
const LONG: usize = 16 * 1024;
const ID: usize = 128;

fn stored(event: &ErrorEvent, shared: &Shared) -> Option<StoredEvent> {
    let time = event.time.unix_millis();
    let short = |text: &Option<String>| text.as_deref().map(|text| clean(text, ID));
    let details = event
        .details
        .as_deref()
        .filter(|details| details.len() <= LONG);
    Some(StoredEvent {
        id: shared.next_id(time),
        time,
        series: shared.failures.series_of(event)?,
        level: level_name(event.level).to_owned(),
        origin: event.origin.as_str().to_owned(),
        message: clean(&event.message, MESSAGE),
        display: clean(&event.display, DISPLAY),
        chain: event
            .chain
            .iter()
            .take(LINKS)
            .map(|link| clean(link, LINK))
            .collect(),
        // A part of an object would be no JSON.
        details: details.map(|details| clean(details, LONG)),
        backtrace: event.backtrace.as_deref().map(|trace| clean(trace, LONG)),
        request_id: short(&event.request_id),
        trace_id: short(&event.trace_id),
        method: event
            .method
            .as_ref()
            .map(|method| clean(method.as_str(), 32)),
        user: short(&event.user_id),
        operation: short(&event.operation),
        attempts: event.attempts,
    })
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Off => "off",
    }
}

//! Failures: each is counted, and the first of each minute and kind are queued in full.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use error_runtime::{Delivery, ErrorEvent, Reporter};
use tokio::sync::Notify;

use super::table::{CELLS, Minutes, Table, cell_of, minute_of};
use crate::store::{CountDelta, Series};
use crate::text::{LABEL, clean, head, is_clean_of};
use crate::time::MINUTE;

/// Takes failures from requests: what [`crate::Monitor`] gives as a reporter.
pub(crate) struct Recorder {
    failures: Arc<Failures>,
    queue: SyncSender<Arc<ErrorEvent>>,
}

/// Counters of failures, and the limits of what is queued.
pub(crate) struct Failures {
    counters: Table<Counter>,
    kinds: Table<Arc<Kind>>,
    /// What has found no place in the table: counted by its status alone.
    others: Table<Counter>,
    samples_per_minute: u64,
    max_queued_bytes: u64,
    queued: AtomicU64,
    queued_bytes: AtomicU64,
    capacity: usize,
    /// Kinds of which no more is kept in this minute.
    pub(crate) sampled_out: AtomicU64,
    /// Failures that found the queue full.
    pub(crate) dropped: AtomicU64,
    pub(crate) wake: Notify,
}

/// The receiving end of the queue.
pub(crate) struct Queue(Receiver<Arc<ErrorEvent>>);

/// Failures that are counted together.
struct Counter {
    series: Arc<Series>,
    kind: Option<Arc<Kind>>,
    minutes: Minutes,
    last: AtomicU64,
}

/// Failures of which so many are kept in a minute.
struct Kind {
    fingerprint: String,
    /// The minute, and how many were kept in it, in one number.
    kept: AtomicU64,
}

/// What was read of the counters last, in their order.
#[derive(Default)]
pub(crate) struct Read {
    last: Vec<(Arc<Series>, [u64; CELLS])>,
    others: Vec<(Arc<Series>, [u64; CELLS])>,
}

const SERIES: usize = 8192;
const KINDS: usize = 4096;
/// One for each status that there can be.
const OTHERS: usize = 1024;

impl Failures {
    pub(crate) fn new(samples_per_minute: u32, capacity: usize, max_queued_bytes: u64) -> Self {
        Self {
            counters: Table::new(SERIES),
            kinds: Table::new(KINDS),
            others: Table::new(OTHERS),
            samples_per_minute: u64::from(samples_per_minute),
            max_queued_bytes,
            queued: AtomicU64::new(0),
            queued_bytes: AtomicU64::new(0),
            capacity,
            sampled_out: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            wake: Notify::new(),
        }
    }

    /// Counts a failure; whether it is to be kept in full.
    fn count(&self, event: &ErrorEvent) -> bool {
        let Some(counter) = self.counter(event) else {
            // There is a place for each status: not reached.
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return false;
        };
        let time = event.time.unix_millis();
        counter.minutes.add(cell_of(time));
        counter.last.store(time, Ordering::Relaxed);
        counter
            .kind
            .as_ref()
            .is_some_and(|kind| kind.take(time / MINUTE, self.samples_per_minute))
    }

    /// How a failure is counted.
    pub(crate) fn series_of(&self, event: &ErrorEvent) -> Option<Arc<Series>> {
        self.counter(event)
            .map(|counter| Arc::clone(&counter.series))
    }

    fn counter(&self, event: &ErrorEvent) -> Option<&Counter> {
        let fingerprint = head(&event.fingerprint, LABEL);
        let code = head(&event.code, LABEL);
        let status = event.status.as_u16();
        let route = head(event.route.as_deref().unwrap_or(""), LABEL);
        let service = head(event.service.as_deref().unwrap_or(""), LABEL);
        let category = head(&event.category, LABEL);
        let key = (fingerprint, code, status, route, service, category);
        let is = |counter: &Counter| {
            let series = &counter.series;
            series.status == status
                && is_clean_of(&series.fingerprint, fingerprint)
                && is_clean_of(&series.code, code)
                && is_clean_of(&series.route, route)
                && is_clean_of(&series.service, service)
                && is_clean_of(&series.category, category)
        };
        let make = || Counter {
            series: Arc::new(Series {
                fingerprint: clean(fingerprint, LABEL),
                domain: clean(&event.domain, LABEL),
                code: clean(code, LABEL),
                status,
                route: clean(route, LABEL),
                service: clean(service, LABEL),
                category: clean(category, LABEL),
            }),
            kind: self.kind(fingerprint),
            minutes: Minutes::default(),
            last: AtomicU64::new(0),
        };
        self.counters.get_or_make(&key, is, make).or_else(|| {
            let make = || Counter {
                series: Arc::new(Series {
                    fingerprint: format!("other-{status}"),
                    domain: String::new(),
                    code: "_OTHER".to_owned(),
                    status,
                    route: String::new(),
                    service: String::new(),
                    category: "app".to_owned(),
                }),
                kind: None,
                minutes: Minutes::default(),
                last: AtomicU64::new(0),
            };
            self.others
                .get_or_make(&status, |other| other.series.status == status, make)
        })
    }

    fn kind(&self, fingerprint: &str) -> Option<Arc<Kind>> {
        let make = || {
            Arc::new(Kind {
                fingerprint: fingerprint.to_owned(),
                kept: AtomicU64::new(0),
            })
        };
        self.kinds
            .get_or_make(fingerprint, |kind| kind.fingerprint == fingerprint, make)
            .cloned()
    }

    /// What was counted since `read`, as of now.
    pub(crate) fn read(&self, read: &mut Read, now: u64, deltas: &mut Vec<CountDelta>) {
        drain(&self.counters, &mut read.last, now, deltas);
        drain(&self.others, &mut read.others, now, deltas);
    }

    /// The series as Prometheus wants them: since the process began.
    #[cfg(feature = "metrics")]
    pub(crate) fn totals(&self) -> Vec<(Arc<Series>, u64)> {
        self.counters
            .iter()
            .chain(self.others.iter())
            .map(|counter| {
                let mut sum = 0;
                counter
                    .minutes
                    .read(&mut [0; CELLS], |_, count| sum += count);
                (Arc::clone(&counter.series), sum)
            })
            .collect()
    }
}

fn drain(
    table: &Table<Counter>,
    last: &mut Vec<(Arc<Series>, [u64; CELLS])>,
    now: u64,
    deltas: &mut Vec<CountDelta>,
) {
    for counter in table.iter() {
        // A new counter may come to stand anywhere: those before it are where they were.
        let series = &counter.series;
        let place =
            last.binary_search_by_key(&Arc::as_ptr(series), |(known, _)| Arc::as_ptr(known));
        let place = place.unwrap_or_else(|place| {
            last.insert(place, (Arc::clone(series), [0; CELLS]));
            place
        });
        counter.minutes.read(&mut last[place].1, |cell, count| {
            let minute = minute_of(cell, now);
            deltas.push(CountDelta {
                series: Arc::clone(series),
                minute,
                count,
                last: counter
                    .last
                    .load(Ordering::Relaxed)
                    .clamp(minute, minute + MINUTE - 1),
            });
        });
    }
}

impl Kind {
    /// Whether one more may be kept in this minute.
    fn take(&self, minute: u64, most: u64) -> bool {
        const COUNT_BITS: u32 = 24;
        let most = most.min((1 << COUNT_BITS) - 1);
        let mut kept = self.kept.load(Ordering::Relaxed);
        loop {
            let same = kept >> COUNT_BITS == minute;
            let count = if same {
                kept & ((1 << COUNT_BITS) - 1)
            } else {
                0
            };
            // A reading of a minute ago, by a thread that was held up, keeps nothing.
            let ahead = (kept >> COUNT_BITS).saturating_sub(minute);
            // If it is far ahead the clock was put back, and begins anew.
            if count >= most || (1..=2).contains(&ahead) {
                return false;
            }
            let next = (minute << COUNT_BITS) | (count + 1);
            match self
                .kept
                .compare_exchange_weak(kept, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return true,
                Err(now) => kept = now,
            }
        }
    }
}

impl Recorder {
    pub(crate) fn new(failures: Arc<Failures>) -> (Self, Queue) {
        let (queue, receiver) = sync_channel(failures.capacity);
        (Self { failures, queue }, Queue(receiver))
    }

    /// Takes a failure. No lock, and no wait: what finds no room is counted as dropped.
    pub(crate) fn take(&self, event: &Arc<ErrorEvent>) {
        let failures = &*self.failures;
        if event.domain == "error-monitor" {
            // Our own answers to those who look: no failure of the service.
            return;
        }
        if !failures.count(event) {
            failures.sampled_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let size = size_of_event(event);
        let bytes = failures.queued_bytes.fetch_add(size, Ordering::Relaxed) + size;
        // Counted before it is queued: the other end may be done with it at once.
        let queued = failures.queued.fetch_add(1, Ordering::Relaxed) + 1;
        if bytes > failures.max_queued_bytes || self.queue.try_send(Arc::clone(event)).is_err() {
            failures.queued.fetch_sub(1, Ordering::Relaxed);
            failures.queued_bytes.fetch_sub(size, Ordering::Relaxed);
            failures.dropped.fetch_add(1, Ordering::Relaxed);
            failures.wake.notify_one();
            return;
        }
        // Nobody is woken for a single failure: the queue is looked at a few times a second.
        if queued == failures.capacity as u64 / 2 {
            failures.wake.notify_one();
        }
    }
}

impl Reporter for Recorder {
    fn report(&self, event: &ErrorEvent) {
        self.take(&Arc::new(event.clone()));
    }

    fn report_shared(&self, event: &Arc<ErrorEvent>) {
        self.take(event);
    }

    fn delivery(&self) -> Delivery {
        Delivery::Inline
    }
}

impl Queue {
    /// The next failure, if there is one.
    pub(crate) fn next(&self, failures: &Failures) -> Option<Arc<ErrorEvent>> {
        let event = self.0.try_recv().ok()?;
        failures.queued.fetch_sub(1, Ordering::Relaxed);
        failures
            .queued_bytes
            .fetch_sub(size_of_event(&event), Ordering::Relaxed);
        Some(event)
    }
}

/// About how much memory an event takes.
fn size_of_event(event: &ErrorEvent) -> u64 {
    let texts = event.message.len()
        + event.display.len()
        + event.chain.iter().map(String::len).sum::<usize>()
        + event.backtrace.as_ref().map_or(0, String::len)
        + event.details.as_ref().map_or(0, String::len);
    (size_of::<ErrorEvent>() + texts) as u64
}

//! Many reporters, none of which can harm another or a request.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::{Delivery, ErrorEvent, Failure, Reporter};
use crate::fault;

/// How many events may wait for one reporter.
const CAPACITY: usize = 1024;
/// The room is made with the first event.
const MAX_CAPACITY: usize = 65_536;

/// Several reporters as one. Each that is [`Delivery::Queued`] has a thread and a queue of its own, which
/// holds 1024 events unless told otherwise: events reach it in their order, and one that is slow, blocks or
/// panics delays neither the request nor the others. An event that finds the queue full is dropped and counted.
///
/// Dropping the last copy lets the threads finish what is queued; [`flush`](Self::flush) waits for it.
#[derive(Clone, Default)]
pub struct FanOut {
    lanes: Vec<Arc<Lane>>,
    capacity: Option<usize>,
}

/// What has become of the events so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryCounts {
    /// Given to a reporter that took them.
    pub delivered: u64,
    /// Dropped since a queue was full.
    pub dropped: u64,
    /// In which a reporter panicked.
    pub failed: u64,
}

/// One reporter, and how events come to it.
struct Lane {
    reporter: Arc<dyn Reporter>,
    /// Where the reporter itself is, however often it is wrapped.
    identity: usize,
    delivery: Delivery,
    #[cfg(feature = "tracing")]
    is_log: bool,
    tally: Arc<Tally>,
    capacity: usize,
    /// Begun with the first event: a service that never fails has no threads for it.
    queue: OnceLock<Option<SyncSender<Arc<ErrorEvent>>>>,
}

#[derive(Default)]
struct Tally {
    delivered: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
    /// Events that are queued or being reported.
    waiting: Mutex<u64>,
    idle: Condvar,
}

impl fmt::Debug for FanOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FanOut")
            .field("reporters", &self.lanes.len())
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

impl FanOut {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many events may wait for each reporter that is added from now on: from 1 to 65 536.
    #[must_use]
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = Some(events.clamp(1, MAX_CAPACITY));
        self
    }

    /// The log.
    #[cfg(feature = "tracing")]
    pub(crate) fn log() -> &'static Self {
        static LOG: OnceLock<FanOut> = OnceLock::new();
        LOG.get_or_init(|| Self::new().reporter(super::TracingReporter::new()))
    }

    /// Both; what they share once.
    pub(crate) fn and(mut self, other: Self) -> Self {
        for lane in other.lanes {
            if !self.lanes.iter().any(|known| known.is(&lane)) {
                self.lanes.push(lane);
            }
        }
        self
    }

    /// Adds a reporter.
    #[must_use]
    pub fn reporter(mut self, reporter: impl Reporter) -> Self {
        #[cfg(feature = "tracing")]
        let is_log = (&reporter as &dyn std::any::Any).is::<super::TracingReporter>();
        let reporter: Arc<dyn Reporter> = Arc::new(reporter);
        self.lanes.push(Arc::new(Lane {
            delivery: fault::guarded(|| reporter.delivery()).unwrap_or(Delivery::Queued),
            #[cfg(feature = "tracing")]
            is_log,
            identity: identity_of(&reporter),
            reporter,
            tally: Arc::default(),
            capacity: self.capacity.unwrap_or(CAPACITY),
            queue: OnceLock::new(),
        }));
        self
    }

    /// What has become of all events so far, of all reporters together.
    pub fn counts(&self) -> DeliveryCounts {
        let mut counts = DeliveryCounts::default();
        for lane in &self.lanes {
            counts.delivered += lane.tally.delivered.load(Ordering::Relaxed);
            counts.dropped += lane.tally.dropped.load(Ordering::Relaxed);
            counts.failed += lane.tally.failed.load(Ordering::Relaxed);
        }
        counts
    }

    /// Waits until every queue is empty, at most so long. False if time ran out.
    ///
    /// It blocks the thread: for the end of a program, not for its requests.
    pub fn flush(&self, most: Duration) -> bool {
        let now = Instant::now();
        // A time that no clock reaches: a century is as good.
        let century = Duration::from_secs(100 * 365 * 24 * 3600);
        let end = now.checked_add(most).unwrap_or_else(|| now + century);
        self.lanes.iter().all(|lane| lane.tally.wait_idle(end))
    }

    /// Whether any of them may want a failure.
    pub(crate) fn is_on(&self) -> bool {
        self.lanes.iter().any(|lane| lane.is_on())
    }

    /// Whether any of them wants this failure.
    pub(crate) fn wanted(&self, failure: &Failure<'_>) -> bool {
        self.lanes.iter().any(|lane| lane.wants(failure))
    }

    /// Tells all of them that want it.
    pub fn report(&self, event: &ErrorEvent) {
        Self::deliver_to_all([self], &Arc::new(event.clone()));
    }

    /// Hands the event to each reporter that wants it, once.
    pub(crate) fn deliver_to_all<'a>(
        all: impl IntoIterator<Item = &'a Self>,
        event: &Arc<ErrorEvent>,
    ) {
        let mut told: Vec<&Lane> = Vec::new();
        for lane in all.into_iter().flat_map(|fan_out| &fan_out.lanes) {
            if !told.iter().any(|known| known.is(lane)) {
                told.push(lane);
                lane.deliver(event);
            }
        }
    }
}

impl Lane {
    /// The same reporter.
    fn is(&self, other: &Self) -> bool {
        self.identity == other.identity
    }

    fn wants(&self, failure: &Failure<'_>) -> bool {
        fault::guarded(|| self.reporter.wants(failure)).unwrap_or(true)
    }

    /// Whether it may want anything: the log of a process that logs nothing does not.
    #[cfg_attr(
        not(feature = "tracing"),
        expect(clippy::unused_self, reason = "only the log can be off")
    )]
    fn is_on(&self) -> bool {
        #[cfg(feature = "tracing")]
        if self.is_log {
            return tracing::level_filters::LevelFilter::current()
                != tracing::level_filters::LevelFilter::OFF;
        }
        true
    }

    fn deliver(&self, event: &Arc<ErrorEvent>) {
        if !self.wants(&Failure::of_event(event)) {
            return;
        }
        if self.delivery == Delivery::Inline {
            return self.tally.report(&*self.reporter, event);
        }
        match self.queue() {
            // The system gives no thread: to call it here would take the request's time.
            None => self.tally.drop_one(),
            Some(queue) => {
                // Counted before it is queued: the thread may be done with it at once.
                self.tally.add_waiting();
                match queue.try_send(Arc::clone(event)) {
                    Ok(()) => {}
                    Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                        self.tally.drop_one();
                        self.tally.one_done();
                    }
                }
            }
        }
    }

    /// Nothing where the system gives no thread.
    fn queue(&self) -> Option<&SyncSender<Arc<ErrorEvent>>> {
        let begin = || {
            let (sender, receiver) = sync_channel(self.capacity);
            let (reporter, tally) = (Arc::clone(&self.reporter), Arc::clone(&self.tally));
            std::thread::Builder::new()
                .name("error-reporter".to_owned())
                .spawn(move || run(&receiver, &*reporter, &tally))
                .ok()
                .map(|_| sender)
        };
        self.queue.get_or_init(begin).as_ref()
    }
}

fn identity_of(reporter: &Arc<dyn Reporter>) -> usize {
    fault::guarded(|| reporter.__identity()).unwrap_or_else(|_| Arc::as_ptr(reporter).addr())
}

/// Ends when the last sender is gone and the queue is empty.
fn run(events: &Receiver<Arc<ErrorEvent>>, reporter: &dyn Reporter, tally: &Tally) {
    for event in events {
        tally.report(reporter, &event);
        tally.one_done();
    }
}

impl Tally {
    fn report(&self, reporter: &dyn Reporter, event: &Arc<ErrorEvent>) {
        let count = match fault::guarded(|| reporter.report_shared(event)) {
            Ok(()) => &self.delivered,
            Err(_) => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    fn add_waiting(&self) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    fn one_done(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting -= 1;
        if *waiting == 0 {
            self.idle.notify_all();
        }
    }

    fn wait_idle(&self, end: Instant) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while *waiting > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            waiting = self
                .idle
                .wait_timeout(waiting, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }
}

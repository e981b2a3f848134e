//! A timer for executors that have none: one thread, started when it is first needed.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A wait that the thread ends. Dropped, it is forgotten at once.
pub(super) struct Timer {
    /// Nothing for an end that no clock can show.
    end: Option<Instant>,
    key: Option<Key>,
}

/// In the order of their ends; the number tells two of one moment apart.
type Key = (Instant, u64);

#[derive(Default)]
struct Waiting {
    wakers: BTreeMap<Key, Waker>,
    next: u64,
}

struct Keeper {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

static KEEPER: LazyLock<Keeper> = LazyLock::new(|| {
    // Without a thread nobody would ever be woken; no process that may start none can wait.
    std::thread::Builder::new()
        .name("error-runtime-timer".to_owned())
        .spawn(|| KEEPER.run())
        .expect("a thread to keep time for an executor without timers");
    Keeper {
        waiting: Mutex::default(),
        changed: Condvar::new(),
    }
});

impl Keeper {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut waiting = self.lock();
        loop {
            let now = Instant::now();
            let next = waiting.wakers.first_key_value().map(|((end, _), _)| *end);
            waiting = match next {
                None => self.changed.wait(waiting),
                Some(end) if end > now => self
                    .changed
                    .wait_timeout(waiting, end - now)
                    .map(|(waiting, _)| waiting)
                    .map_err(|poisoned| PoisonError::new(poisoned.into_inner().0)),
                Some(_) => {
                    let due = waiting.wakers.pop_first();
                    // A waker is foreign code: it may ask for a timer, and it may panic.
                    drop(waiting);
                    if let Some((_, waker)) = due {
                        let _ = crate::fault::guarded(|| waker.wake());
                    }
                    Ok(self.lock())
                }
            }
            .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Timer {
    pub(super) fn new(wait: Duration) -> Self {
        Self {
            end: Instant::now().checked_add(wait),
            key: None,
        }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(end) = self.end else {
            return Poll::Pending;
        };
        if Instant::now() >= end {
            return Poll::Ready(());
        }
        // Cloning and dropping a waker is foreign code, so both happen outside the lock.
        let waker = context.waker().clone();
        let mut waiting = KEEPER.lock();
        let key = *self.key.get_or_insert_with(|| {
            waiting.next += 1;
            (end, waiting.next)
        });
        let before = waiting.wakers.insert(key, waker);
        let is_next = waiting
            .wakers
            .first_key_value()
            .is_some_and(|(next, _)| *next == key);
        drop(waiting);
        // The thread sleeps until the next end, so it has to know of an earlier one.
        if is_next && before.is_none() {
            KEEPER.changed.notify_one();
        }
        drop(before);
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = KEEPER.lock().wakers.remove(&key);
            drop(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::task::Wake;
    use std::thread::{self, Thread};

    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    #[test]
    fn ends_by_itself_and_is_forgotten_when_dropped() {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut long = Timer::new(Duration::from_secs(3600));
        assert!(Pin::new(&mut long).poll(&mut context).is_pending());
        let mut short = Timer::new(Duration::from_millis(5));
        let mut first = true;
        while Pin::new(&mut short).poll(&mut context).is_pending() {
            first = false;
            thread::park();
        }
        assert!(!first, "it was over before it began");
        let kept = KEEPER.lock().wakers.len();
        drop(long);
        assert_eq!(KEEPER.lock().wakers.len(), kept - 1);
        let mut endless = Timer::new(Duration::MAX);
        assert!(Pin::new(&mut endless).poll(&mut context).is_pending());
    }
}

//! A storm of failures beside reporters that cannot keep up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use error_runtime::{ErrorEvent, ErrorLayer, FanOut, Reporter};
use isolated_reporters::{app, call};

const REQUESTS: u64 = 100_000;
const WORKERS: u64 = 2;
const CAPACITY: u64 = 64;

/// Takes one event and then nothing until it is let go.
#[derive(Default)]
struct Stuck {
    free: Mutex<bool>,
    changed: Condvar,
}

impl Stuck {
    fn let_go(&self) {
        *self.free.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

impl Reporter for Stuck {
    fn report(&self, _: &ErrorEvent) {
        let free = self.free.lock().unwrap();
        drop(self.changed.wait_while(free, |free| !*free).unwrap());
    }
}

#[derive(Default)]
struct Counting(AtomicU64);

impl Reporter for Counting {
    fn report(&self, _: &ErrorEvent) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn delivery(&self) -> error_runtime::Delivery {
        error_runtime::Delivery::Inline
    }
}

/// Panics, and so does what it throws when that is dropped.
struct Panicking;

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

impl Reporter for Panicking {
    fn report(&self, _: &ErrorEvent) {
        std::panic::panic_any(Bomb);
    }
}

/// Bytes of memory that the process has, as Linux counts.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_flat_and_every_drop_is_counted() {
    std::panic::set_hook(Box::new(|_| {}));
    let (stuck, counting) = (Arc::new(Stuck::default()), Arc::new(Counting::default()));
    let blocked = FanOut::new()
        .capacity(usize::try_from(CAPACITY).unwrap())
        .reporter(Arc::clone(&stuck));
    let hostile = FanOut::new().reporter(Panicking);
    let layer = ErrorLayer::new()
        .log(false)
        .reporters(blocked.clone())
        .reporters(hostile.clone())
        .reporter(Arc::clone(&counting));
    let app = app(layer);

    let storm = async |requests: u64| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                let app = app.clone();
                tokio::spawn(async move {
                    for _ in 0..requests / WORKERS {
                        let response = call(&app, "/ledger", "storm").await;
                        assert_eq!(response.status(), 500);
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
    };
    // The queues are full, the pools warm.
    storm(10_000).await;
    let before = resident();
    storm(REQUESTS).await;
    let grown = resident().saturating_sub(before);
    assert!(
        grown < 8 * 1024 * 1024,
        "{grown} bytes more after {REQUESTS} failures"
    );

    let all = REQUESTS + 10_000;
    assert_eq!(counting.0.load(Ordering::Relaxed), all);
    // All but what is in the queue or in its hands was dropped, and that is counted.
    let dropped = blocked.counts().dropped;
    assert!(
        (all - CAPACITY - 2..=all - CAPACITY).contains(&dropped),
        "{dropped} of {all}"
    );
    stuck.let_go();
    assert!(blocked.flush(Duration::from_secs(60)) && hostile.flush(Duration::from_secs(60)));
    let counts = blocked.counts();
    assert_eq!(counts.delivered + counts.dropped, all);
    let counts = hostile.counts();
    assert_eq!((counts.delivered, counts.failed + counts.dropped), (0, all));
    assert!(counts.failed > 0);
}

//! What the tests of alerts, budgets and metrics have in common: a clock that stands still, a monitor behind a
//! socket, failures and requests straight into the store, and waiting without a guess at how long.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use error_monitor::store::{Batch, CountDelta, RequestDelta, Series};
use error_monitor::{Monitor, MonitorBuilder, WithAdmin, WithoutAdmin};
use error_runtime::time::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;

pub(crate) const TOKEN: &str = "0123456789abcdef-operator";
pub(crate) const MINUTE: u64 = 60_000;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// So long is waited for what must come. It is no measure: a test that waits for it fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// Stands still until it is moved. It begins now, since breakers tell the system's time.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicU64>);

impl TestClock {
    pub(crate) fn new() -> Self {
        // In the middle of a minute: no test is to depend on where in it the machine happens to be.
        let now = Timestamp::now().unix_millis();
        Self(Arc::new(AtomicU64::new(now - now % MINUTE + MINUTE / 2)))
    }

    pub(crate) fn millis(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn advance(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub(crate) fn reader(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static + use<> {
        let clock = self.clone();
        move || Timestamp::from_unix_millis(clock.millis())
    }
}

/// Waits until it is so.
pub(crate) async fn until<F>(what: &str, mut so: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    let begun = Instant::now();
    while !so().await {
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A builder with a store in this folder, looking at its rules as often as it may be asked to.
pub(crate) fn builder(folder: &tempfile::TempDir, clock: &TestClock) -> MonitorBuilder<WithAdmin> {
    with_clock(Monitor::builder(), folder, clock).token(TOKEN)
}

fn with_clock(
    builder: MonitorBuilder<WithoutAdmin>,
    folder: &tempfile::TempDir,
    clock: &TestClock,
) -> MonitorBuilder<WithoutAdmin> {
    builder
        .sqlite(folder.path().join("errors.db"))
        .evaluate_every(Duration::from_millis(50))
        .flush_every(Duration::from_millis(20))
        .clock(clock.reader())
}

/// A monitor behind a socket.
pub(crate) struct Served {
    pub(crate) monitor: Monitor,
    pub(crate) address: SocketAddr,
    pub(crate) client: reqwest::Client,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Served {
    pub(crate) async fn start(builder: MonitorBuilder<WithAdmin>) -> Self {
        let monitor = builder.build().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = {
            let monitor = monitor.clone();
            tokio::spawn(async move { monitor.serve_on(listener).await.unwrap() })
        };
        Self {
            monitor,
            address,
            client: reqwest::Client::new(),
            serving,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/admin/api/monitoring/{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = self.client.get(self.url(path)).bearer_auth(TOKEN);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.client.post(self.url(path)).bearer_auth(TOKEN);
        let response = request.json(body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap())
    }

    /// A change that is taken.
    pub(crate) async fn change(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.post(path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Waits until everything was looked at, and what was due was sent, at the clock's present time.
    pub(crate) async fn look(&self) {
        // Each look begins with a sign of life. The second from now begins after the first has ended, and that
        // first began after this call; a third, since the first may have read the clock before.
        let begun = self.looks().await;
        until("rules are looked at", || async {
            self.looks().await >= begun + 3
        })
        .await;
    }

    async fn looks(&self) -> u64 {
        let all = self.monitor.store().documents("instance").await.unwrap();
        let own = all.iter().find(|one| one.id == self.monitor.instance());
        own.map_or(0, |one| one.version)
    }
}

/// Failures of one code, told to the store at a time.
pub(crate) async fn fail(monitor: &Monitor, at: u64, code: &str, route: &str, count: u64) {
    let series = Series {
        fingerprint: format!("tests/{code}"),
        domain: "tests".to_owned(),
        code: code.to_owned(),
        status: 503,
        route: route.to_owned(),
        service: String::new(),
        category: "app".to_owned(),
    };
    let delta = CountDelta {
        series: Arc::new(series),
        minute: at - at % MINUTE,
        count,
        last: at,
    };
    write(
        monitor,
        Batch {
            sealed: at,
            counts: vec![delta],
            ..Batch::default()
        },
    )
    .await;
}

/// Requests of one route, of which some were answered with 5xx, told to the store at a time.
pub(crate) async fn requests(monitor: &Monitor, at: u64, route: &str, total: u64, failed: u64) {
    let delta = RequestDelta {
        route: route.into(),
        minute: at - at % MINUTE,
        total,
        client_errors: 0,
        server_errors: failed,
    };
    write(
        monitor,
        Batch {
            sealed: at,
            requests: vec![delta],
            ..Batch::default()
        },
    )
    .await;
}

async fn write(monitor: &Monitor, batch: Batch) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // Each batch from a process of its own: the store takes the same number of one process once.
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let batch = Batch {
        instance: format!("test-{number}").into(),
        number: 1,
        ..batch
    };
    monitor.store().write(Arc::new(batch)).await.unwrap();
}

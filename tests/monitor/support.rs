//! A monitor behind a real socket, failures to give it, and a reader of its answers.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use error_monitor::{Monitor, MonitorBuilder, WithAdmin, WithoutAdmin};
use error_runtime::time::Timestamp;
use error_runtime::{ApiError, BreakerHandle, Breakers, CircuitBreaker, ErrorEvent, Reporter as _};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::RwLock;

/// What the audit calls `token 1`.
pub(crate) const OPERATOR: &str = "operator-0123456789abcdef";
/// What the audit calls `token 2`.
pub(crate) const VIEWER: &str = "viewer-0123456789abcdef";
pub(crate) const MOUNT: &str = "/admin/api/monitoring";

/// 2026-01-01T10:00:00Z.
pub(crate) const T0: u64 = 1_767_261_600_000;
pub(crate) const SECOND: u64 = 1000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;

/// Breakers belong to the process: tests with names of their own share it, one that touches all has it alone.
pub(crate) static BREAKERS: RwLock<()> = RwLock::const_new(());

/// The base of all failures here, whose fields are then changed.
#[derive(Debug, ApiError)]
#[api(domain = "monitor-tests")]
pub(crate) enum Fails {
    /// A thing that is not there.
    #[api(
        status = 404,
        message = "no {id}",
        docs = "https://docs.example.com/missing"
    )]
    Missing {
        #[api(detail)]
        id: u64,
    },
    /// The service behind is away.
    #[api(
        status = 503,
        display = "upstream: <b>boom</b>",
        category = "performance"
    )]
    Upstream,
}

/// A failure of this moment and code; the code tells kinds apart.
pub(crate) fn failure(at: u64, code: &str) -> ErrorEvent {
    let mut event = ErrorEvent::new(&Fails::Upstream);
    event.time = Timestamp::from_unix_millis(at);
    event.code = code.to_owned().into();
    event.fingerprint = format!("monitor-tests/{code}");
    event
}

/// A moment as the answers write it.
pub(crate) fn moment(at: u64) -> String {
    Timestamp::from_unix_millis(at).to_string()
}

/// A clock that moves as a test wants.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn new(at: u64) -> Self {
        Self(Arc::new(AtomicU64::new(at)))
    }

    pub(crate) fn set(&self, at: u64) {
        self.0.store(at, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn source(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let clock = self.clone();
        move || Timestamp::from_unix_millis(clock.now())
    }
}

/// A builder with a file of its own; the folder goes with the test.
pub(crate) fn builder(folder: &TempDir) -> MonitorBuilder<WithoutAdmin> {
    Monitor::builder()
        .sqlite(folder.path().join("errors.db"))
        .instance("here")
        .admin_emails(Vec::<String>::new())
}

/// A monitor that is served.
pub(crate) struct Server {
    pub(crate) monitor: Monitor,
    pub(crate) address: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) client: Client,
    _folder: TempDir,
}

impl Server {
    /// With both tokens, a clock that stands at `T0`, and nothing else.
    pub(crate) async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(
        more: impl FnOnce(MonitorBuilder<WithAdmin>) -> MonitorBuilder<WithAdmin>,
    ) -> Self {
        Self::built(more, true, error_monitor::Monitor::router).await
    }

    /// An application's router, which has the monitor's in it, and the time of day.
    pub(crate) async fn app(app: impl FnOnce(&Monitor) -> Router) -> Self {
        Self::built(|builder| builder, false, app).await
    }

    async fn built(
        more: impl FnOnce(MonitorBuilder<WithAdmin>) -> MonitorBuilder<WithAdmin>,
        clock_stands: bool,
        app: impl FnOnce(&Monitor) -> Router,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::new(T0);
        let mut builder = builder(&folder).token(OPERATOR).viewer_token(VIEWER);
        if clock_stands {
            builder = builder.clock(clock.source());
        }
        let monitor = more(builder).build().await.unwrap();
        let address = serve(app(&monitor)).await;
        Self {
            monitor,
            address,
            clock,
            client: Client::new(),
            _folder: folder,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request below the mount point, or at a path from the root; of nobody yet.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = match path.strip_prefix('/') {
            Some(_) => self.url(path),
            None => self.url(&format!("{MOUNT}/{path}")),
        };
        self.client.request(method, url)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).bearer_auth(OPERATOR)).await
    }

    /// What a successful GET says, which is what the `OpenAPI` document says of it.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let value = self.get(path).await.ok();
        let template = path.split('?').next().unwrap();
        crate::schema::assert_documented(self, "get", template, "200", &value).await;
        value
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).bearer_auth(OPERATOR);
        Answer::of(request.json(&body)).await
    }

    /// What a successful POST says, which is what the `OpenAPI` document says of it.
    pub(crate) async fn change(&self, path: &str, body: Value) -> Value {
        let value = self.post(path, body).await.ok();
        crate::schema::assert_documented(self, "post", path, "200", &value).await;
        value
    }

    pub(crate) fn report(&self, event: &ErrorEvent) {
        self.monitor.report(event);
    }

    /// Moves the clock to a moment, and reports so many failures of it.
    pub(crate) async fn fail(
        &self,
        at: u64,
        count: usize,
        code: &str,
        change: impl Fn(&mut ErrorEvent),
    ) {
        self.clock.set(at);
        for _ in 0..count {
            let mut event = failure(at, code);
            change(&mut event);
            self.monitor.report(&event);
        }
        assert!(self.monitor.flush().await);
    }
}

/// Serves a router, with the addresses of those who ask.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// Sends a request. Whatever is below the mount point says what every such answer has to say.
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let answer = Self::plain(request).await;
        answer.assert_hardened();
        answer
    }

    pub(crate) async fn plain(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    /// Sends just these bytes; a library would refuse to, or mend them. The connection has to be closed after.
    pub(crate) async fn raw(address: SocketAddr, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let read = move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            // No test asserts it: it turns a server that never answers into a failure.
            stream
                .set_read_timeout(Some(Duration::from_secs(60)))
                .unwrap();
            let _ = stream.write_all(&bytes);
            let mut all = Vec::new();
            let _ = stream.read_to_end(&mut all);
            all
        };
        let all = tokio::task::spawn_blocking(read).await.unwrap();
        let all = String::from_utf8(all).expect("answers are UTF-8");
        let (head, text) = all.split_once("\r\n\r\n").expect("a head");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").expect("a header");
            (name.parse().unwrap(), value.parse().unwrap())
        });
        Self {
            status: status.and_then(|status| status.parse().ok()).unwrap(),
            headers: headers
                .collect::<Vec<(reqwest::header::HeaderName, _)>>()
                .into_iter()
                .collect(),
            text: text.to_owned(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()
    }

    /// The inside of the envelope of an error.
    #[track_caller]
    pub(crate) fn error(&self) -> Value {
        let body = self.json();
        let error = &body["error"];
        for key in ["code", "message", "timestamp", "request_id"] {
            assert!(error[key].is_string(), "no `{key}`: {self:?}");
        }
        assert_eq!(error["status"], self.status, "{self:?}");
        assert!(error["recoverable"].is_boolean(), "{self:?}");
        assert_eq!(
            error["request_id"].as_str(),
            self.header("x-request-id"),
            "{self:?}"
        );
        error.clone()
    }

    /// An error of this status and code; gives back its details.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        let body = if self.text.starts_with('{') {
            self.error()
        } else {
            Value::Null
        };
        assert_eq!(
            (self.status, body["code"].as_str()),
            (status, Some(code)),
            "{self:?}"
        );
        body["details"].clone()
    }

    /// Whatever the answer is: it is kept by nobody, shown in no frame, and can be found in the log.
    #[track_caller]
    pub(crate) fn assert_hardened(&self) {
        let all = |name: &str| -> Vec<_> {
            self.headers
                .get_all(name)
                .iter()
                .map(|value| value.to_str().unwrap())
                .collect()
        };
        assert_eq!(all("cache-control"), ["no-store"], "{self:?}");
        assert_eq!(all("x-content-type-options"), ["nosniff"], "{self:?}");
        assert_eq!(all("referrer-policy"), ["no-referrer"], "{self:?}");
        let csp = all("content-security-policy");
        assert_eq!(csp.len(), 1, "{self:?}");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ] {
            assert!(csp[0].contains(part), "no {part}: {self:?}");
        }
        assert_eq!(all("x-request-id").len(), 1, "{self:?}");
        assert!(!self.headers.contains_key("server") && !self.headers.contains_key("set-cookie"));
        // Nobody else's page may read it.
        assert!(
            !self
                .headers
                .keys()
                .any(|name| name.as_str().starts_with("access-control"))
        );
    }
}

/// A breaker of the process that opens at the first failure, and stays open.
pub(crate) fn breaker(name: &str) -> BreakerHandle {
    let breaker = CircuitBreaker::builder(name.to_owned())
        .failures(1)
        .recovery(Duration::from_secs(3600))
        .build()
        .unwrap();
    Breakers::global().register(breaker)
}

/// Waits for what will be; a test that waits in vain fails in the end.
pub(crate) async fn until(what: &str, mut is: impl AsyncFnMut() -> bool) {
    for _ in 0..6000 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain until {what}");
}

/// So many requests of this monitor's layer, by all routes or one, in the last day.
pub(crate) async fn stats(server: &Server, query: &str) -> Value {
    assert!(server.monitor.flush().await);
    server.read(&format!("errors/stats?{query}")).await
}

pub(crate) fn bearer(token: &str) -> (reqwest::header::HeaderName, String) {
    (AUTHORIZATION, format!("Bearer {token}"))
}

/// The status of a code, by its number.
pub(crate) fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap()
}

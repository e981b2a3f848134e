//! Checks of what a service needs: asked when somebody wants to know, never more often than they allow.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use error_runtime::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::shared::Shared;
use crate::store::JournalKind;
use crate::text::clean;

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Health {
    /// Well.
    Pass,
    /// It works, with less than it should have.
    Warn,
    /// It does not work.
    Fail,
}

impl Health {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    health: Health,
    message: Option<String>,
}

impl Finding {
    /// All is well.
    pub const fn pass() -> Self {
        Self {
            health: Health::Pass,
            message: None,
        }
    }

    /// It works, with less than it should have.
    pub fn warn(message: impl Into<String>) -> Self {
        Self {
            health: Health::Warn,
            message: Some(message.into()),
        }
    }

    /// It does not work.
    pub fn fail(message: impl Into<String>) -> Self {
        Self {
            health: Health::Fail,
            message: Some(message.into()),
        }
    }
}

/// An error is a failure, and its `Display` the message. Only those who have signed in read it.
impl<E: fmt::Display> From<Result<(), E>> for Finding {
    fn from(result: Result<(), E>) -> Self {
        match result {
            Ok(()) => Self::pass(),
            Err(error) => Self::fail(error.to_string()),
        }
    }
}

type Run = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Finding> + Send>> + Send + Sync>;

/// A check of something that the service needs.
///
/// ```
/// use error_monitor::HealthCheck;
/// # async fn ping() -> Result<(), std::io::Error> { Ok(()) }
///
/// let check = HealthCheck::new("database", || async { ping().await }).critical(true);
/// ```
///
/// It may take two seconds and is asked at most every ten, unless told otherwise; however many ask meanwhile
/// get the last answer. If it takes longer or panics, it has failed.
#[derive(Clone)]
pub struct HealthCheck {
    name: String,
    service: Option<String>,
    critical: bool,
    timeout: Duration,
    cache: Duration,
    run: Run,
}

impl fmt::Debug for HealthCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthCheck")
            .field("name", &self.name)
            .field("critical", &self.critical)
            .finish_non_exhaustive()
    }
}

impl HealthCheck {
    /// A check that is not critical: its failure is a warning for the service as a whole.
    pub fn new<F, R>(name: impl Into<String>, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: Into<Finding> + 'static,
    {
        let run: Run = Arc::new(move || {
            let checking = check();
            Box::pin(async move { checking.await.into() })
        });
        Self {
            name: name.into(),
            service: None,
            critical: false,
            timeout: Duration::from_secs(2),
            cache: Duration::from_secs(10),
            run,
        }
    }

    /// Whether the service is not ready without it.
    #[must_use]
    pub const fn critical(mut self, critical: bool) -> Self {
        self.critical = critical;
        self
    }

    /// How long it may take; at least a millisecond.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// How long an answer holds.
    #[must_use]
    pub const fn cache(mut self, cache: Duration) -> Self {
        self.cache = cache;
        self
    }

    /// The name of the breaker that guards the same thing: both are shown as one service.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// What a check has found, for those who ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckReport {
    /// The check.
    pub name: String,
    /// The service that it belongs to: the check's own name if it was not given one.
    pub service: String,
    /// Whether the service as a whole is not ready without it.
    pub critical: bool,
    /// How well it is.
    pub status: Health,
    /// What it says.
    pub message: Option<String>,
    /// When it was asked.
    #[schemars(with = "crate::api::Time")]
    pub checked_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// All checks of a monitor.
pub(crate) struct Checks {
    all: Vec<Arc<Checked>>,
    shared: Arc<Shared>,
    /// Where the application runs: its connections belong to it.
    host: Handle,
}

struct Checked {
    check: HealthCheck,
    last: Mutex<Option<(Instant, CheckReport)>>,
}

impl Checks {
    pub(crate) fn new(checks: Vec<HealthCheck>, shared: Arc<Shared>, host: Handle) -> Self {
        let all = checks
            .into_iter()
            .map(|check| {
                Arc::new(Checked {
                    check,
                    last: Mutex::default(),
                })
            })
            .collect();
        Self { all, shared, host }
    }

    /// What all of them say, each asked if its last answer is too old; at the same time.
    pub(crate) async fn reports(&self) -> Vec<CheckReport> {
        // Each to its end, whether or not somebody waits: one who asks and goes away again and again asks once.
        let asking: Vec<_> = self
            .all
            .iter()
            .map(|checked| {
                let (checked, shared) = (Arc::clone(checked), Arc::clone(&self.shared));
                self.host
                    .spawn(async move { checked.report(&shared).await })
            })
            .collect();
        let reports = join_all(asking).await;
        reports.into_iter().filter_map(Result::ok).collect()
    }
}

impl Checked {
    async fn report(&self, shared: &Shared) -> CheckReport {
        // Who comes while it is asked waits for the same answer.
        let mut last = self.last.lock().await;
        if let Some((at, report)) = &*last
            && at.elapsed() < self.check.cache
        {
            return report.clone();
        }
        let check = &self.check;
        let begun = Instant::now();
        let run = Arc::clone(&check.run);
        let mut task = tokio::spawn(async move { run().await });
        let finding = match tokio::time::timeout(check.timeout, &mut task).await {
            Ok(Ok(finding)) => finding,
            Ok(Err(error)) if error.is_panic() => Finding::fail("the check panicked"),
            Ok(Err(_)) => Finding::fail("the check was cancelled"),
            Err(_) => {
                task.abort();
                Finding::fail(format!("no answer within {:?}", check.timeout))
            }
        };
        let report = CheckReport {
            name: check.name.clone(),
            service: check.service.clone().unwrap_or_else(|| check.name.clone()),
            critical: check.critical,
            status: finding.health,
            message: finding.message.map(|message| clean(&message, 1024)),
            checked_at: shared.now(),
            took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        let before = last
            .as_ref()
            .map_or(Health::Pass, |(_, report)| report.status);
        if before != report.status {
            let body = json!({
                "from": before.as_str(),
                "to": report.status.as_str(),
                "message": report.message,
            });
            shared.note(JournalKind::Health, &check.name, body);
        }
        *last = Some((Instant::now(), report.clone()));
        report
    }
}

/// All of them at once; a few, so that polling each in turn costs nothing.
async fn join_all<F: Future + Unpin>(mut futures: Vec<F>) -> Vec<F::Output> {
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        let mut pending = false;
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none() {
                match Pin::new(future).poll(cx) {
                    std::task::Poll::Ready(done) => *output = Some(done),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

/// What a service as a whole is, given its parts: the failure of what is not critical is a warning.
pub(crate) fn overall(parts: impl IntoIterator<Item = (Health, bool)>) -> Health {
    parts
        .into_iter()
        .map(|(health, critical)| {
            if critical {
                health
            } else {
                health.min(Health::Warn)
            }
        })
        .max()
        .unwrap_or(Health::Pass)
}

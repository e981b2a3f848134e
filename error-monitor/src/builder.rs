//! How a monitor is put together.

use std::fmt;
use std::marker::PhantomData;
#[cfg(feature = "sqlite")]
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use error_runtime::time::Timestamp;

use crate::access::{Authenticator, BearerTokens, Role};
#[cfg(feature = "alerts")]
use crate::alerts::{AddressRules, AlertRule, Channel};
use crate::budgets::Budget;
use crate::config::Declared;
use crate::dashboard::DashboardPlace;
use crate::health::HealthCheck;
use crate::monitor::{Monitor, WithAdmin, WithoutAdmin};
use crate::shared::Now;
use crate::store::{ErrorStore, Retention, StoreError};

/// Builds a [`Monitor`]. Without any of these, failures are kept in `errors.db` in the current folder, and
/// there is no router: that takes a [`token`](Self::token) or an [`authenticator`](Self::authenticator).
#[must_use = "a builder does nothing until `build`"]
pub struct MonitorBuilder<A = WithoutAdmin> {
    pub(crate) settings: Settings,
    pub(crate) access: PhantomData<A>,
}

/// All that can be said.
pub(crate) struct Settings {
    pub(crate) store: StoreChoice,
    pub(crate) instance: Option<String>,
    pub(crate) mount: String,
    pub(crate) dashboard: DashboardPlace,
    pub(crate) tokens: BearerTokens,
    pub(crate) authenticator: Option<Arc<dyn Authenticator>>,
    pub(crate) admin_emails: Vec<String>,
    pub(crate) checks: Vec<HealthCheck>,
    pub(crate) declared: Declared,
    #[cfg(feature = "metrics")]
    pub(crate) metric_names: crate::metrics::MetricNames,
    pub(crate) metrics_path: String,
    pub(crate) open_metrics: bool,
    #[cfg(feature = "alerts")]
    pub(crate) addresses: AddressRules,
    #[cfg(feature = "alerts")]
    pub(crate) evaluate_every: Duration,
    pub(crate) retention: Retention,
    pub(crate) samples_per_minute: u32,
    pub(crate) queue: usize,
    pub(crate) queue_bytes: u64,
    pub(crate) flush_every: Duration,
    pub(crate) now: Now,
    pub(crate) mistakes: Vec<BuildError>,
}

pub(crate) enum StoreChoice {
    Default,
    #[cfg(feature = "sqlite")]
    Sqlite(PathBuf),
    #[cfg(feature = "postgres")]
    Postgres {
        url: String,
        spool: PathBuf,
    },
    Own(Arc<dyn ErrorStore>),
}

impl<A> fmt::Debug for MonitorBuilder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonitorBuilder")
            .field("mount", &self.settings.mount)
            .finish_non_exhaustive()
    }
}

impl MonitorBuilder<WithoutAdmin> {
    pub(crate) fn new() -> Self {
        let admin_emails = std::env::var("ADMIN_EMAILS").unwrap_or_default();
        Self {
            settings: Settings {
                store: StoreChoice::Default,
                instance: None,
                mount: "/admin/api/monitoring".to_owned(),
                dashboard: DashboardPlace::default(),
                tokens: BearerTokens::default(),
                authenticator: None,
                admin_emails: split_emails(&admin_emails),
                checks: Vec::new(),
                declared: Declared::default(),
                #[cfg(feature = "metrics")]
                metric_names: crate::metrics::MetricNames::default(),
                metrics_path: "/metrics".to_owned(),
                open_metrics: false,
                #[cfg(feature = "alerts")]
                addresses: AddressRules::default(),
                #[cfg(feature = "alerts")]
                evaluate_every: Duration::from_secs(15),
                retention: Retention::default(),
                samples_per_minute: 200,
                queue: 16_384,
                queue_bytes: 64 << 20,
                flush_every: Duration::from_secs(1),
                now: Arc::new(Timestamp::now),
                mistakes: Vec::new(),
            },
            access: PhantomData,
        }
    }
}

const PATH_RULE: &str = "a path begins with `/`, does not end with one, and has no placeholders";

fn is_path(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    path.len() > 1
        && path.starts_with('/')
        && !path.ends_with('/')
        && !path.contains("//")
        && path.chars().all(plain)
        // Browsers take these away before they ask.
        && path.split('/').all(|part| part != "." && part != "..")
}

fn split_emails(list: &str) -> Vec<String> {
    list.split(',')
        .map(|email| email.trim().to_ascii_lowercase())
        .filter(|email| !email.is_empty())
        .collect()
}

impl<A> MonitorBuilder<A> {
    /// Keeps failures in this `SQLite` file; the default is `errors.db` in the current folder.
    #[cfg(feature = "sqlite")]
    #[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
    pub fn sqlite(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.store = StoreChoice::Sqlite(path.into());
        self
    }

    /// Keeps failures in `PostgreSQL`. What it cannot take is kept in an `SQLite` file, `errors-spool.db` in the
    /// current folder, until it can.
    #[cfg(feature = "postgres")]
    #[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
    pub fn postgres(mut self, url: impl Into<String>) -> Self {
        self.settings.store = StoreChoice::Postgres {
            url: url.into(),
            spool: PathBuf::from("errors-spool.db"),
        };
        self
    }

    /// The file in which failures wait for `PostgreSQL`. Each process needs its own.
    #[cfg(feature = "postgres")]
    #[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
    pub fn spool(mut self, path: impl Into<PathBuf>) -> Self {
        match &mut self.settings.store {
            StoreChoice::Postgres { spool, .. } => *spool = path.into(),
            _ => self.mistake(
                "spool",
                "a spool stands in for PostgreSQL; call `postgres` first",
            ),
        }
        self
    }

    /// Keeps failures in a store of one's own.
    pub fn store(mut self, store: impl ErrorStore) -> Self {
        self.settings.store = StoreChoice::Own(Arc::new(store));
        self
    }

    /// The name of this process among others; the host's name unless told otherwise. Something is added that
    /// tells it from its predecessors.
    pub fn instance(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
            self.mistake(
                "instance",
                "a name has 1 to 100 characters, none of them a control character",
            );
        }
        self.settings.instance = Some(name);
        self
    }

    /// Where the endpoints are: `/admin/api/monitoring` unless told otherwise.
    pub fn mount(mut self, path: impl Into<String>) -> Self {
        let path = path.into();
        if !is_path(&path) {
            self.mistake("mount", PATH_RULE);
        }
        self.settings.mount = path;
        self
    }

    /// Where the dashboard is: a path that ends with `/`. Unless told otherwise `/admin/`; where the mount point
    /// is another one, the same without its `api/monitoring`, or else `dashboard/` below it.
    ///
    /// The page itself is open, and has nothing in it: it asks for a token, and then the endpoints. An application
    /// that has a page of its own at this path must move one of them: axum panics where two routes are the same.
    pub fn dashboard(mut self, path: impl Into<String>) -> Self {
        let path = path.into();
        if path != "/" && !path.strip_suffix('/').is_some_and(is_path) {
            self.mistake(
                "dashboard",
                "a path begins and ends with `/`, and has no placeholders",
            );
        }
        self.settings.dashboard = DashboardPlace::At(path);
        self
    }

    /// No dashboard: the endpoints alone.
    pub fn without_dashboard(mut self) -> Self {
        self.settings.dashboard = DashboardPlace::Nowhere;
        self
    }

    /// Who may read and change everything: those who send `Authorization: Bearer <token>`. A token has at
    /// least 16 characters; it may be called several times, while tokens change.
    pub fn token(mut self, token: impl AsRef<str>) -> MonitorBuilder<WithAdmin> {
        self.add_token(token.as_ref(), Role::Operator);
        self.with_admin()
    }

    /// Who may read everything and change nothing.
    pub fn viewer_token(mut self, token: impl AsRef<str>) -> MonitorBuilder<WithAdmin> {
        self.add_token(token.as_ref(), Role::Viewer);
        self.with_admin()
    }

    /// Who may do what, as the application knows it. Tokens hold besides, and are asked first.
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> MonitorBuilder<WithAdmin> {
        self.settings.authenticator = Some(Arc::new(authenticator));
        self.with_admin()
    }

    /// Whose e-mail makes an operator of somebody whom the authenticator gives no role: in place of the
    /// environment's `ADMIN_EMAILS`, a list with commas.
    pub fn admin_emails<E: Into<String>>(mut self, emails: impl IntoIterator<Item = E>) -> Self {
        let emails: Vec<String> = emails.into_iter().map(Into::into).collect();
        self.settings.admin_emails = split_emails(&emails.join(","));
        self
    }

    /// Adds a check of what the service needs.
    pub fn check(mut self, check: HealthCheck) -> Self {
        if self
            .settings
            .checks
            .iter()
            .any(|known| known.name() == check.name())
        {
            self.mistake("check", "each check has a name of its own");
        }
        self.settings.checks.push(check);
        self
    }

    /// Adds an error budget. Operators may change it by its name; what they change is kept in the store.
    pub fn budget(mut self, budget: Budget) -> Self {
        if let Some((_, reason)) = budget.mistake() {
            self.mistake("budget", reason);
        }
        self.settings.declared.budgets.push(budget);
        self
    }

    /// Adds a rule. Operators may change it by its name; what they change is kept in the store.
    #[cfg(feature = "alerts")]
    #[cfg_attr(docsrs, doc(cfg(feature = "alerts")))]
    pub fn alert(mut self, rule: AlertRule) -> Self {
        if let Some((_, reason)) = rule.mistake() {
            self.mistake("alert", reason);
        }
        self.settings.declared.rules.push(rule);
        self
    }

    /// Adds a channel. Operators may change it by its name; what they change is kept in the store.
    #[cfg(feature = "alerts")]
    #[cfg_attr(docsrs, doc(cfg(feature = "alerts")))]
    pub fn channel(mut self, channel: Channel) -> Self {
        self.settings.declared.channels.push(channel);
        self
    }

    /// Trusts a host as a receiver of alerts, with its port where that is not the scheme's: it may be in a
    /// private network, and be reached without encryption. Of all others only public addresses are reached,
    /// by https.
    #[cfg(feature = "alerts")]
    #[cfg_attr(docsrs, doc(cfg(feature = "alerts")))]
    pub fn trust_host(mut self, host: impl Into<String>) -> Self {
        self.settings.addresses.trusted.push(host.into());
        self
    }

    /// How often rules are looked at: every 15 seconds unless told otherwise.
    #[cfg(feature = "alerts")]
    #[cfg_attr(docsrs, doc(cfg(feature = "alerts")))]
    pub fn evaluate_every(mut self, every: Duration) -> Self {
        if every < Duration::from_millis(10) || every > Duration::from_secs(300) {
            self.mistake("evaluate_every", "between 10 ms and 5 min");
        }
        self.settings.evaluate_every = every;
        self
    }

    /// How the metrics of breakers and retries are called: as ours, unless told otherwise.
    #[cfg(feature = "metrics")]
    #[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
    pub const fn metric_names(mut self, names: crate::metrics::MetricNames) -> Self {
        self.settings.metric_names = names;
        self
    }

    /// Where the metrics are: `/metrics` unless told otherwise.
    #[cfg(feature = "metrics")]
    #[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
    pub fn metrics_path(mut self, path: impl Into<String>) -> Self {
        let path = path.into();
        if !is_path(&path) {
            self.mistake("metrics_path", PATH_RULE);
        }
        self.settings.metrics_path = path;
        self
    }

    /// Whether everybody may read the metrics: no, unless told otherwise. They hold routes, codes and names of
    /// services, and no texts.
    #[cfg(feature = "metrics")]
    #[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
    pub const fn public_metrics(mut self, public: bool) -> Self {
        self.settings.open_metrics = public;
        self
    }

    /// How long what is kept; see [`Retention`] for the defaults.
    pub fn retention(mut self, change: impl FnOnce(&mut Retention)) -> Self {
        change(&mut self.settings.retention);
        self
    }

    /// How many failures of one kind are kept in full in a minute: 200 unless told otherwise. All are counted.
    pub const fn samples_per_minute(mut self, samples: u32) -> Self {
        self.settings.samples_per_minute = samples;
        self
    }

    /// How many failures may wait for the store's thread (16 384), and how many bytes of them (64 MiB).
    pub fn queue(mut self, failures: usize, bytes: u64) -> Self {
        if failures == 0 || failures > 1 << 20 {
            self.mistake("queue", "a queue holds from 1 to 1 048 576 failures");
        }
        (self.settings.queue, self.settings.queue_bytes) = (failures, bytes);
        self
    }

    /// How often what has come is written: every second unless told otherwise. That much is lost if the
    /// process is killed.
    pub fn flush_every(mut self, every: Duration) -> Self {
        if every < Duration::from_millis(10) || every > Duration::from_secs(60) {
            self.mistake("flush_every", "between 10 ms and 60 s");
        }
        self.settings.flush_every = every;
        self
    }

    /// Another clock, for tests.
    #[doc(hidden)]
    pub fn clock(mut self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.settings.now = Arc::new(now);
        self
    }

    /// Opens the store and begins to write to it, on a thread of its own.
    ///
    /// A store that is away, full or damaged does not keep the service from starting: failures wait for it.
    ///
    /// # Errors
    ///
    /// If something was said that cannot be, or a later release of this crate has made the store.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime: health checks run there.
    pub async fn build(self) -> Result<Monitor<A>, BuildError> {
        let mut settings = self.settings;
        #[cfg(feature = "alerts")]
        for channel in &settings.declared.channels {
            // Only now is it known which hosts are trusted.
            if let Some((_, reason)) = channel.mistake(&settings.addresses) {
                settings.mistakes.push(BuildError::Channel {
                    name: channel.name.clone(),
                    reason,
                });
            }
        }
        if !settings.mistakes.is_empty() {
            return Err(settings.mistakes.remove(0));
        }
        Monitor::start(settings).await
    }

    fn add_token(&mut self, token: &str, role: Role) {
        if token.len() < 16 {
            self.mistake("token", "a token has at least 16 characters");
        } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.mistake(
                "token",
                "a token is printable ASCII without spaces: that is what a header can carry",
            );
        }
        self.settings.tokens.add(token, role);
    }

    fn mistake(&mut self, key: &'static str, reason: &'static str) {
        self.settings
            .mistakes
            .push(BuildError::Setting { key, reason });
    }

    fn with_admin(self) -> MonitorBuilder<WithAdmin> {
        MonitorBuilder {
            settings: self.settings,
            access: PhantomData,
        }
    }
}

/// Why there is no monitor.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// Something was said that cannot be.
    Setting {
        /// The builder's method.
        key: &'static str,
        /// What is wrong, and what to say instead.
        reason: &'static str,
    },
    /// A channel leads nowhere.
    Channel {
        /// Which.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The store cannot be used.
    Store(StoreError),
    /// The system gives no thread.
    Thread(std::io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { key, reason } => write!(f, "`{key}`: {reason}"),
            Self::Channel { name, reason } => write!(f, "channel {name:?}: {reason}"),
            Self::Store(error) => error.fmt(f),
            Self::Thread(_) => f.write_str("the system gives no thread for the monitor"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Thread(error) => Some(error),
            Self::Setting { .. } | Self::Channel { .. } | Self::Store(_) => None,
        }
    }
}

//! The monitor as the application has it.

use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use error_runtime::{Breakers, Delivery, ErrorEvent, ErrorLayer, Failure, Reporter};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::access::Guesses;
use crate::api::{AdminError, Api, Entrance};
use crate::builder::{BuildError, MonitorBuilder, Settings, StoreChoice};
use crate::health::Checks;
use crate::pump::{Command, Pump};
use crate::record::{CountRequests, Failures, Recorder, Requests};
use crate::shared::Shared;
use crate::store::{ErrorStore, Retention, StoreError};

/// A monitor that has an authenticator, and so a router.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct WithAdmin;

/// A monitor that only records: it was given no authenticator, so there is nothing to mount.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct WithoutAdmin;

/// Monitors that may be mounted.
#[diagnostic::on_unimplemented(
    message = "a monitor without an authenticator cannot be mounted",
    label = "this monitor lets nobody in",
    note = "add `.token(…)`, `.viewer_token(…)` or `.authenticator(…)` before `.build()`"
)]
pub trait Mountable {}

impl Mountable for WithAdmin {}

/// What fails, since when, and the lever to act.
///
/// It is a [`Reporter`], has a [layer](Self::layer) that counts requests, and a [router](Self::router) to mount;
/// copies are one monitor. It works on a thread of its own. [`shutdown`](Self::shutdown) writes what is left:
/// call it before the program ends.
///
/// ```no_run
/// use axum::Router;
/// use error_monitor::Monitor;
/// use error_runtime::ErrorLayer;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let monitor = Monitor::builder().sqlite("errors.db").token(std::env::var("ADMIN_TOKEN")?).build().await?;
/// let app: Router = Router::new()
///     // .route(…)
///     .merge(monitor.router())
///     .layer(ErrorLayer::new().reporter(monitor.clone()))
///     .layer(monitor.layer());
/// # Ok(()) }
/// ```
pub struct Monitor<A = WithAdmin> {
    inner: Arc<Inner>,
    access: PhantomData<A>,
}

struct Inner {
    recorder: Recorder,
    shared: Arc<Shared>,
    store: Arc<dyn ErrorStore>,
    commands: mpsc::Sender<Command>,
    api: Arc<Api>,
}

impl<A> Clone for Monitor<A> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            access: PhantomData,
        }
    }
}

impl<A> fmt::Debug for Monitor<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("instance", &self.inner.shared.instance)
            .field("store", &self.inner.store.name())
            .finish_non_exhaustive()
    }
}

impl Monitor<WithoutAdmin> {
    /// Puts a monitor together.
    pub fn builder() -> MonitorBuilder<WithoutAdmin> {
        MonitorBuilder::new()
    }
}

impl<A> Monitor<A> {
    pub(crate) async fn start(settings: Settings) -> Result<Self, BuildError> {
        let runtime = Runtime::new()?;
        let store = {
            // What a store does by itself, it does on the monitor's thread.
            let _guard = runtime.0.as_ref().map(tokio::runtime::Runtime::enter);
            open(settings.store)?
        };
        match store.ping().await {
            Err(error @ StoreError::Newer { .. }) => return Err(BuildError::Store(error)),
            Err(error) => {
                tracing::error!(%error, store = %store.name(), "the error store is away; failures wait for it");
            }
            Ok(()) => {}
        }
        let name = settings.instance.unwrap_or_else(host_name);
        let instance: Arc<str> = format!("{name}-{:06x}", fastrand::u32(..1 << 24)).into();
        let failures = Failures::new(
            settings.samples_per_minute,
            settings.queue,
            settings.queue_bytes,
        );
        let failures = Arc::new(failures);
        let shared = Arc::new(Shared::new(instance, Arc::clone(&failures), settings.now));
        let (recorder, queue) = Recorder::new(failures);
        let checks = Arc::new(Checks::new(
            settings.checks,
            Arc::clone(&shared),
            Handle::current(),
        ));
        watch_breakers(&shared);

        let declared = Arc::new(settings.declared);
        #[cfg(feature = "alerts")]
        let alerts = Arc::new(crate::alerts::Alerts::new(
            Arc::clone(&shared),
            Arc::clone(&store),
            Arc::clone(&checks),
            Arc::clone(&declared),
            settings.addresses,
        ));
        let (commands, received) = mpsc::channel(16);
        let api = Arc::new(Api {
            shared: Arc::clone(&shared),
            store: Arc::clone(&store),
            checks,
            commands: commands.downgrade(),
            entrance: Entrance {
                dashboard: settings.dashboard.resolve(&settings.mount),
                mount: settings.mount,
                metrics_path: settings.metrics_path,
                open_metrics: settings.open_metrics,
                tokens: settings.tokens,
                authenticator: settings.authenticator,
                admin_emails: settings.admin_emails,
            },
            guesses: Guesses::default(),
            turns: tokio::sync::Semaphore::new(16),
            declared,
            #[cfg(feature = "metrics")]
            metrics: crate::metrics::Metrics::new(Arc::clone(&shared), settings.metric_names),
            #[cfg(feature = "alerts")]
            alerts: Arc::clone(&alerts),
        });
        let pump = Pump::new(Arc::clone(&shared), Arc::clone(&store), queue);
        let retaining = Retaining {
            shared: Arc::downgrade(&shared),
            store: Arc::downgrade(&store),
            retention: settings.retention,
        };
        let every = settings.flush_every;
        std::thread::Builder::new()
            .name("error-monitor".to_owned())
            .spawn(move || {
                runtime.run(async move {
                    let retaining = tokio::spawn(retaining.run());
                    #[cfg(feature = "alerts")]
                    let alerting = tokio::spawn(alerts.run(settings.evaluate_every));
                    pump.run(received, every).await;
                    retaining.abort();
                    #[cfg(feature = "alerts")]
                    alerting.abort();
                });
            })
            .map_err(BuildError::Thread)?;
        let inner = Inner {
            recorder,
            shared,
            store,
            commands,
            api,
        };
        Ok(Self {
            inner: Arc::new(inner),
            access: PhantomData,
        })
    }

    /// A layer that counts requests, for rates and budgets. It belongs outermost: `Router::layer` of the whole
    /// application, after all others.
    pub fn layer(&self) -> CountRequests {
        CountRequests::new(self.inner.shared.requests.clone())
    }

    /// The counters behind [`layer`](Self::layer), for frameworks without tower.
    pub fn requests(&self) -> &Requests {
        &self.inner.shared.requests
    }

    /// The name of this process, as the store and the answers have it.
    pub fn instance(&self) -> &str {
        &self.inner.shared.instance
    }

    /// The store, for questions of one's own.
    pub fn store(&self) -> &dyn ErrorStore {
        &*self.inner.store
    }

    /// Writes what has come until now. Whether the store has it; if not, it waits for it.
    pub async fn flush(&self) -> bool {
        self.command(Command::Flush).await
    }

    /// Writes what has come until now, and ends. Whether the store has it all.
    ///
    /// What comes after it is counted by nobody. It waits ten seconds for a store that is away.
    pub async fn shutdown(&self) -> bool {
        self.command(Command::Stop).await
    }

    async fn command(&self, command: impl FnOnce(oneshot::Sender<bool>) -> Command) -> bool {
        let (done, waiting) = oneshot::channel();
        if self.inner.commands.send(command(done)).await.is_err() {
            return false;
        }
        waiting.await.unwrap_or(false)
    }
}

impl<A> Monitor<A> {
    /// The endpoints, below `/admin/api/monitoring` unless the builder was told otherwise. Everything but
    /// whether the process lives and is ready is for those who have signed in.
    ///
    /// Merge it before the application's layers, as in the example: axum gives a merged router the fallback of
    /// what it is merged with, and only layers that come later hold for it. What these endpoints answer is
    /// neither counted nor kept.
    ///
    /// The [dashboard](crate::MonitorBuilder::dashboard) is at `/admin/`. As with any merge, axum panics if the
    /// application has that route too.
    pub fn router<S>(&self) -> Router<S>
    where
        A: Mountable,
        S: Clone + Send + Sync + 'static,
    {
        crate::api::router(&self.inner.api)
    }

    /// Serves the endpoints, and nothing else, at this address: the safer place, as nobody from outside need
    /// reach it, and the way for frameworks without tower. It ends when it is dropped.
    ///
    /// # Errors
    ///
    /// If the address cannot be had.
    pub async fn serve(&self, address: SocketAddr) -> std::io::Result<()>
    where
        A: Mountable,
    {
        let listener = tokio::net::TcpListener::bind(address).await?;
        self.serve_on(listener).await
    }

    /// The same on a listener that is there already.
    ///
    /// # Errors
    ///
    /// If the listener has no address.
    pub async fn serve_on(&self, listener: tokio::net::TcpListener) -> std::io::Result<()>
    where
        A: Mountable,
    {
        tracing::info!(address = %listener.local_addr()?, "the monitor is served");
        let app = self
            .router::<()>()
            .fallback_service(
                axum::routing::any(async || AdminError::NoSuchEndpoint).layer(ErrorLayer::new()),
            )
            .into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, app).await
    }
}

impl<A: Send + Sync + 'static> Reporter for Monitor<A> {
    fn report(&self, event: &ErrorEvent) {
        self.inner.recorder.report(event);
    }

    fn report_shared(&self, event: &Arc<ErrorEvent>) {
        self.inner.recorder.report_shared(event);
    }

    fn delivery(&self) -> Delivery {
        self.inner.recorder.delivery()
    }

    fn wants(&self, failure: &Failure<'_>) -> bool {
        self.inner.recorder.wants(failure)
    }

    fn __identity(&self) -> usize {
        Arc::as_ptr(&self.inner).addr()
    }
}

/// The monitor's own: the host's may be busy, or one of several. One that was not used is given up without a
/// wait, which would be a mistake where others run.
struct Runtime(Option<tokio::runtime::Runtime>);

impl Runtime {
    fn new() -> Result<Self, BuildError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Ok(Self(Some(runtime.map_err(BuildError::Thread)?)))
    }

    fn run(mut self, work: impl Future<Output = ()>) {
        if let Some(runtime) = self.0.take() {
            runtime.block_on(work);
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn open(choice: StoreChoice) -> Result<Arc<dyn ErrorStore>, BuildError> {
    #[cfg(feature = "sqlite")]
    let sqlite = |path: std::path::PathBuf| -> Result<Arc<dyn ErrorStore>, BuildError> {
        let store = crate::store::SqliteStore::open(path).map_err(BuildError::Store)?;
        Ok(Arc::new(store))
    };
    match choice {
        #[cfg(feature = "sqlite")]
        StoreChoice::Default => sqlite("errors.db".into()),
        #[cfg(not(feature = "sqlite"))]
        StoreChoice::Default => Err(BuildError::Setting {
            key: "store",
            reason: "without the feature `sqlite` there is no store of its own; give it one",
        }),
        #[cfg(feature = "sqlite")]
        StoreChoice::Sqlite(path) => sqlite(path),
        #[cfg(feature = "postgres")]
        StoreChoice::Postgres { url, spool } => {
            let store = crate::store::postgres::SpooledStore::open(&url, spool);
            Ok(Arc::new(store.map_err(BuildError::Store)?))
        }
        StoreChoice::Own(store) => Ok(store),
    }
}

fn host_name() -> String {
    let given = std::env::var("HOSTNAME").ok();
    let name = given.or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok());
    let name = name
        .as_deref()
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .unwrap_or("instance");
    crate::text::clean(name, 100)
}

/// The registry's hooks are for ever; a monitor that is gone is told nothing.
fn watch_breakers(shared: &Arc<Shared>) {
    let shared: Weak<Shared> = Arc::downgrade(shared);
    Breakers::global().on_transition(move |event| {
        if let Some(shared) = shared.upgrade() {
            shared.note_transition(event);
        }
    });
}

/// Keeps the store within its limits.
struct Retaining {
    shared: Weak<Shared>,
    store: Weak<dyn ErrorStore>,
    retention: Retention,
}

impl Retaining {
    async fn run(self) {
        const EVERY: Duration = Duration::from_secs(60);
        loop {
            tokio::time::sleep(EVERY).await;
            let (Some(shared), Some(store)) = (self.shared.upgrade(), self.store.upgrade()) else {
                return;
            };
            // One process does it for all that share the store.
            let leads = store.lead(&shared.instance, EVERY * 3, shared.now()).await;
            if !leads.unwrap_or(false) {
                continue;
            }
            if let Err(error) = store.retain(&self.retention, shared.now()).await {
                tracing::warn!(%error, "the error store could not be tidied");
            }
        }
    }
}

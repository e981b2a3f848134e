//! Log files: JSON lines, one file for each concern, none of which grows for ever.

mod file;
mod layer;
mod line;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::reload;

use self::file::RotatingFile;
pub use self::layer::LogLayer;

/// Four log files in a folder, as JSON lines:
///
/// | file | holds |
/// |---|---|
/// | `app.log` | everything but security and performance |
/// | `errors.log` | everything at `ERROR`, whatever its category |
/// | `security.log` | events with `category = "security"`: declared errors, [`log_security_event!`](crate::log_security_event), admin access |
/// | `performance.log` | events with `category = "performance"`: [`log_performance_metric!`](crate::log_performance_metric) |
///
/// A file that would grow beyond 10 MiB is put aside as `app.log.1`, and what was that as `app.log.2`; ten of
/// them are kept. Lines are written at once, by whoever logs: none is lost. When the disk is full or the folder
/// cannot be written, lines are dropped and [counted](LogHandle::dropped), and the service goes on.
///
/// ```no_run
/// use error_monitor::LogFiles;
/// use tracing_subscriber::layer::SubscriberExt;
/// use tracing_subscriber::util::SubscriberInitExt;
///
/// let (files, handle) = LogFiles::new("logs").layer();
/// tracing_subscriber::registry().with(files).init();
/// // Later, without a restart:
/// handle.set_level("debug").unwrap();
/// ```
///
/// The level is that of the environment's `LOG_LEVEL` (`error`, `warn`, `info`, `debug`, `trace`, `off`; Python's
/// `CRITICAL` and `WARNING` too), else `info`. Two processes cannot share the files.
#[derive(Clone, Debug)]
#[must_use = "it does nothing until `layer`"]
pub struct LogFiles {
    folder: PathBuf,
    max_bytes: u64,
    keep: usize,
    level: Option<LevelFilter>,
}

impl LogFiles {
    /// Files in this folder, which is made if there is none.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            max_bytes: 10 << 20,
            keep: 10,
            level: None,
        }
    }

    /// How large a file may be: 10 MiB unless told otherwise, and at least 4 KiB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes.max(4096);
        self
    }

    /// How many of those put aside are kept: ten unless told otherwise.
    pub const fn keep(mut self, files: usize) -> Self {
        self.keep = files;
        self
    }

    /// The level, whatever the environment says.
    pub const fn level(mut self, level: LevelFilter) -> Self {
        self.level = Some(level);
        self
    }

    /// A layer for any set-up of `tracing-subscriber`, and a handle to change it later.
    pub fn layer<S>(self) -> (reloadable::Layer<S>, LogHandle)
    where
        S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    {
        let level = self.level.unwrap_or_else(|| {
            let named = std::env::var("LOG_LEVEL").ok();
            named
                .and_then(|name| level_named(&name).ok())
                .unwrap_or(LevelFilter::INFO)
        });
        let dropped = Arc::new(AtomicU64::new(0));
        let file = |name: &str| {
            RotatingFile::new(self.folder.join(name), self.max_bytes, self.keep, &dropped)
        };
        let files = layer::Files {
            app: file("app.log"),
            errors: file("errors.log"),
            security: file("security.log"),
            performance: file("performance.log"),
        };
        let (level, reload) = reload::Layer::new(level);
        let handle = LogHandle {
            reload: Arc::new(Reload(reload)),
            dropped,
            folder: self.folder,
        };
        let layer = tracing_subscriber::Layer::with_filter(LogLayer::new(files), level);
        (layer, handle)
    }
}

/// What [`LogFiles::layer`] gives.
pub mod reloadable {
    use tracing_subscriber::filter::{Filtered, LevelFilter};
    use tracing_subscriber::reload;

    /// A layer whose level can be changed.
    pub type Layer<S> = Filtered<super::LogLayer, reload::Layer<LevelFilter, S>, S>;
}

/// A level by its name, in any case; Python's names too.
///
/// # Errors
///
/// If there is no such level.
fn level_named(name: &str) -> Result<LevelFilter, UnknownLevel> {
    match name.trim().to_ascii_lowercase().as_str() {
        "off" => Ok(LevelFilter::OFF),
        "error" | "critical" | "fatal" => Ok(LevelFilter::ERROR),
        "warn" | "warning" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        "trace" => Ok(LevelFilter::TRACE),
        _ => Err(UnknownLevel {
            name: crate::text::clean(name, 64),
        }),
    }
}

/// There is no level of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownLevel {
    /// The name.
    pub name: String,
}

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "there is no level {:?}; there are off, error, warn, info, debug and trace",
            self.name
        )
    }
}

impl std::error::Error for UnknownLevel {}

/// Changes the log files while the service runs, and tells how they are. Copies are one.
#[derive(Clone)]
pub struct LogHandle {
    reload: Arc<dyn SetLevel>,
    dropped: Arc<AtomicU64>,
    folder: PathBuf,
}

impl fmt::Debug for LogHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogHandle")
            .field("folder", &self.folder)
            .field("dropped", &self.dropped())
            .finish_non_exhaustive()
    }
}

impl LogHandle {
    /// Logs from this level on.
    ///
    /// # Errors
    ///
    /// If there is no such level; then nothing changes.
    pub fn set_level(&self, level: &str) -> Result<(), UnknownLevel> {
        self.reload.set(level_named(level)?);
        Ok(())
    }

    /// How many lines could not be written.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The handle of the crate is one of the subscriber's type, which is nobody's business.
trait SetLevel: Send + Sync {
    fn set(&self, level: LevelFilter);
}

struct Reload<S>(reload::Handle<LevelFilter, S>);

impl<S> SetLevel for Reload<S> {
    fn set(&self, level: LevelFilter) {
        // It fails only when the subscriber is gone, and with it all that could be logged.
        let _ = self.0.reload(level);
    }
}

/// Logs something that concerns security, into `security.log` where there are [`LogFiles`]: what happened, a
/// text, and fields as `tracing` takes them.
///
/// ```
/// use error_monitor::log_security_event;
/// # let (user, address) = ("ada", "192.0.2.1");
/// log_security_event!("failed_login", "several failed attempts to sign in", user_id = user, ip_address = address);
/// ```
#[macro_export]
macro_rules! log_security_event {
    ($event:expr, $message:expr $(, $($field:tt)+)?) => {
        $crate::__private::tracing::warn!(
            category = "security",
            event = $event,
            $($($field)+,)?
            "{}",
            $message
        )
    };
}

/// Logs a measurement, into `performance.log` where there are [`LogFiles`]: its name, its value, and fields as
/// `tracing` takes them.
///
/// ```
/// use error_monitor::log_performance_metric;
/// log_performance_metric!("video_render_seconds", 12.5, video_length = 60, file_size = 1024);
/// ```
#[macro_export]
macro_rules! log_performance_metric {
    ($name:expr, $value:expr $(, $($field:tt)+)?) => {
        $crate::__private::tracing::info!(
            category = "performance",
            metric = $name,
            value = $value,
            $($($field)+,)?
        )
    };
}

#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]

mod access;
#[cfg(feature = "alerts")]
mod alerts;
mod api;
mod budgets;
mod builder;
mod config;
mod dashboard;
mod health;
#[cfg(feature = "logs")]
mod logs;
#[cfg(feature = "metrics")]
mod metrics;
mod monitor;
mod pump;
mod record;
mod shared;
#[cfg(feature = "alerts")]
mod span;
pub mod store;
mod text;
mod time;

pub use crate::access::{AuthFuture, Authenticator, Identity, Role};
#[cfg(feature = "alerts")]
#[cfg_attr(docsrs, doc(cfg(feature = "alerts")))]
pub use crate::alerts::{AlertRule, Channel, Condition, Receiver, Severity};
pub use crate::api::AdminError;
pub use crate::budgets::Budget;
pub use crate::builder::{BuildError, MonitorBuilder};
pub use crate::health::{CheckReport, Finding, Health, HealthCheck};
#[cfg(feature = "logs")]
#[cfg_attr(docsrs, doc(cfg(feature = "logs")))]
pub use crate::logs::{LogFiles, LogHandle, LogLayer, UnknownLevel, reloadable};
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub use crate::metrics::MetricNames;
pub use crate::monitor::{Monitor, Mountable, WithAdmin, WithoutAdmin};
pub use crate::record::{CountRequests, CountRequestsFuture, CountRequestsService, Requests};
#[cfg(feature = "alerts")]
#[cfg_attr(docsrs, doc(cfg(feature = "alerts")))]
pub use crate::span::Span;
pub use crate::store::ErrorStore;
pub use crate::time::Range;

/// What the macros name.
#[doc(hidden)]
pub mod __private {
    pub use tracing;
}

/// The examples of the repository's README compile.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../../README.md")]
struct Readme;

#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]

mod access;
mod api;
mod builder;
mod health;
mod monitor;
mod pump;
mod record;
mod shared;
pub mod store;
mod text;
mod time;

pub use crate::access::{AuthFuture, Authenticator, Identity, Role};
pub use crate::api::AdminError;
pub use crate::builder::{BuildError, MonitorBuilder};
pub use crate::health::{CheckReport, Finding, Health, HealthCheck};
pub use crate::monitor::{Monitor, Mountable, WithAdmin, WithoutAdmin};
pub use crate::record::{CountRequests, CountRequestsFuture, CountRequestsService, Requests};
pub use crate::store::ErrorStore;
pub use crate::time::Range;

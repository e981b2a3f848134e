//! What the server on axum and the one on actix-web have in common: all but routes and extractors.

pub(crate) mod auth;
pub(crate) mod calendar;
pub(crate) mod domain;
pub(crate) mod errors;
pub(crate) mod legacy;
pub(crate) mod preconditions;
pub(crate) mod store;

use std::sync::Arc;

use crate::meetings::calendar::Calendar;
use crate::meetings::store::{Flaky, MemoryStore, Outage};

/// What handlers are given.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) calendar: Calendar,
    /// The switch with which an operator takes the store away.
    pub(crate) outage: Outage,
}

impl Services {
    /// An empty calendar in memory.
    pub(crate) fn in_memory() -> Self {
        let outage = Outage::default();
        let store = Flaky::new(MemoryStore::default(), outage.clone());
        Self {
            calendar: Calendar::new(Arc::new(store)),
            outage,
        }
    }
}

//! Retries: the same call again, later, as long as the error says that it may help.
//!
//! ```text
//! attribute → site ─┐
//! builder → policy ─┴─ core ── state (one call) ─ backoff, budget, nested → wait
//! ```

mod backoff;
mod budget;
mod config;
mod event;
mod jitter;
mod nested;
mod policy;
mod site;
mod state;

pub use backoff::Delays;
pub use budget::RetryBudget;
pub use event::{RetryEvent, RetryReport, RetryStop};
pub use jitter::Jitter;
#[cfg(feature = "tower")]
pub(crate) use policy::Core;
pub use policy::{
    ConstRetryPolicyBuilder, NoAttemptTimeout, RetryPolicy, RetryPolicyBuilder, WithAttemptTimeout,
};
pub use site::RetrySite;
pub use state::{Retry, Wait};

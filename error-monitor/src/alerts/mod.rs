//! Alerts: rules that are looked at, and people who are told.

mod channel;
mod notice;
mod observe;
mod outbox;
mod rule;
mod runner;
mod send;
mod silence;
mod state;

pub use self::channel::{Channel, Receiver};
pub use self::rule::{AlertRule, Condition, Severity};
pub(crate) use self::runner::Alerts;
pub(crate) use self::send::AddressRules;
pub(crate) use self::silence::Silence;
pub(crate) use self::state::Phase;

//! Alerts: rules that are looked at, and people who are told.

mod address;
mod channel;
mod notice;
mod observe;
mod open;
mod outbox;
mod rule;
mod runner;
mod send;
mod silence;
mod state;

pub(crate) use self::address::AddressRules;
pub use self::channel::{Channel, Receiver};
pub use self::rule::{AlertRule, Condition, Severity};
pub(crate) use self::runner::Alerts;
pub(crate) use self::silence::Silence;
pub(crate) use self::state::Phase;

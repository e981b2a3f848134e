//! What the policies share: the shape of a call's result, mistakes in rules, settings from outside.

mod config_error;
mod outcome;
pub(crate) mod overrides;
pub(crate) mod site;

pub use config_error::ConfigError;
pub use outcome::{AcceptsRejected, IsResult};

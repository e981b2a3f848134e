//! A mistake in the rules of a policy.

use std::fmt;

/// Why a policy cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// The key that is wrong, as the builder's method and the attribute call it.
    pub key: &'static str,
    /// What is wrong and what to give instead, the key in backticks.
    pub reason: &'static str,
}

impl ConfigError {
    pub(crate) const fn new(key: &'static str, reason: &'static str) -> Self {
        Self { key, reason }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl std::error::Error for ConfigError {}

//! The rules of a retry, checked when it is built.

use std::time::Duration;

use super::jitter::Jitter;
use crate::ConfigError;
use crate::policy::overrides::Value;
use crate::time::nanos;

/// The rules as given; `None` is the default.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) attempts: Option<u32>,
    pub(super) base: Option<Duration>,
    pub(super) factor: Option<f64>,
    pub(super) max: Option<Duration>,
    pub(super) jitter: Option<Jitter>,
    pub(super) deadline: Option<Duration>,
    pub(super) attempt_timeout: Option<Duration>,
    pub(super) max_retry_after: Option<Duration>,
    pub(super) nested: Option<bool>,
    /// Switched off, it makes one attempt.
    pub(super) enabled: bool,
}

/// The rules, valid; times in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(super) attempts: u32,
    pub(super) base: u64,
    pub(super) factor: f64,
    pub(super) max: u64,
    pub(super) jitter: Jitter,
    pub(super) deadline: Option<u64>,
    pub(crate) attempt_timeout: Option<u64>,
    pub(super) max_retry_after: u64,
    pub(super) nested: bool,
}

impl Config {
    pub(super) const DEFAULT: Self = match Settings::NONE.check() {
        Ok(config) => config,
        Err(_) => panic!("the defaults are valid"),
    };
}

/// `Option::unwrap_or`, where it is not `const` for every type.
macro_rules! or {
    ($given:expr, $default:expr) => {
        match $given {
            Some(given) => given,
            None => $default,
        }
    };
}

impl Settings {
    pub(super) const NONE: Self = Self {
        attempts: None,
        base: None,
        factor: None,
        max: None,
        jitter: None,
        deadline: None,
        attempt_timeout: None,
        max_retry_after: None,
        nested: None,
        enabled: true,
    };

    /// The rules, or the first that is wrong.
    pub(super) const fn check(&self) -> Result<Config, ConfigError> {
        let attempts = or!(self.attempts, 3);
        if attempts == 0 {
            return Err(ConfigError::new(
                "attempts",
                "`attempts` is at least 1: it counts all calls, the first one too",
            ));
        }
        let base = signed(nanos(or!(self.base, Duration::from_secs(1))));
        let max = signed(nanos(or!(self.max, Duration::from_secs(60))));
        if base > max {
            return Err(ConfigError::new(
                "base",
                "`base` is at most `max`, which is 60 s by default",
            ));
        }
        let factor = or!(self.factor, 2.0);
        // A NaN fails both comparisons.
        if !(factor >= 1.0 && factor <= 1000.0) {
            return Err(ConfigError::new("factor", "`factor` is from 1 to 1000"));
        }
        let jitter = or!(self.jitter, Jitter::Full);
        if let Jitter::Ratio(ratio) = jitter
            && !(ratio >= 0.0 && ratio <= 1.0)
        {
            return Err(ConfigError::new(
                "jitter",
                "`jitter` is a ratio from 0 to 1",
            ));
        }
        let deadline = match self.deadline {
            Some(deadline) if deadline.is_zero() => {
                return Err(ConfigError::new(
                    "deadline",
                    "`deadline` is longer than nothing",
                ));
            }
            Some(deadline) => Some(nanos(deadline)),
            None => None,
        };
        let attempt_timeout = match self.attempt_timeout {
            Some(timeout) if timeout.is_zero() => {
                return Err(ConfigError::new(
                    "attempt_timeout",
                    "`attempt_timeout` is longer than nothing",
                ));
            }
            Some(timeout) => Some(nanos(timeout)),
            None => None,
        };
        Ok(Config {
            attempts: if self.enabled { attempts } else { 1 },
            base,
            factor,
            max,
            jitter,
            deadline,
            attempt_timeout,
            max_retry_after: match self.max_retry_after {
                Some(most) => nanos(most),
                None => max,
            },
            nested: or!(self.nested, false),
        })
    }

    /// Takes over a setting from the environment. A limit for each attempt is changed and never
    /// added: the error type may have no value for it.
    pub(super) fn apply(&mut self, key: &str, value: &Value) {
        match (key, value) {
            ("ENABLED", Value::Switch(enabled)) => self.enabled = *enabled,
            ("ATTEMPTS", Value::Count(attempts)) => self.attempts = Some(*attempts),
            ("BASE", Value::Time(base)) => self.base = Some(*base),
            ("FACTOR", Value::Number(factor)) => self.factor = Some(*factor),
            ("MAX", Value::Time(max)) => self.max = Some(*max),
            ("JITTER", Value::Jitter(jitter)) => self.jitter = Some(*jitter),
            ("DEADLINE", Value::Time(deadline)) => self.deadline = Some(*deadline),
            ("ATTEMPT_TIMEOUT", Value::Time(timeout)) if self.attempt_timeout.is_some() => {
                self.attempt_timeout = Some(*timeout);
            }
            ("MAX_RETRY_AFTER", Value::Time(most)) => self.max_retry_after = Some(*most),
            ("NESTED", Value::Switch(nested)) => self.nested = Some(*nested),
            _ => {}
        }
    }
}

/// What fits into a signed number too, so that it can be multiplied cheaply: 292 years.
const fn signed(nanos: u64) -> u64 {
    if nanos > i64::MAX as u64 {
        i64::MAX as u64
    } else {
        nanos
    }
}

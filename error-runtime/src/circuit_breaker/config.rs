//! The rules of a breaker, checked when it is built.

use std::time::Duration;

use super::stripes::SLICES;
use super::word::{MAX_HALF_OPEN, MAX_STREAK};
use crate::ConfigError;
use crate::policy::overrides::Value;
use crate::time::nanos;

/// Fractions are kept as parts of this many, so that 1 % to 100 % of 100 calls compare exactly.
pub(super) const PARTS: u64 = 1_000_000_000;

/// What a rate is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Window {
    /// The last so many counted calls.
    Calls(u32),
    /// The calls of the last so many nanoseconds.
    Nanos(u64),
}

/// The rules, valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Config {
    /// So many failures in a row open the circuit.
    pub(super) failures: Option<u32>,
    /// Parts of [`PARTS`].
    pub(super) failure_rate: Option<u64>,
    pub(super) slow_rate: Option<u64>,
    /// Calls of at least so many nanoseconds are slow.
    pub(super) slow_call: Option<u64>,
    pub(super) window: Window,
    /// Slices of a time window in 2^64 nanoseconds: a multiplication is a third of a division, and the
    /// only one of a healthy call. Zero for a window of calls.
    pub(super) slices_per_time: u64,
    pub(super) min_calls: u32,
    pub(super) recovery: u64,
    pub(super) recovery_max: u64,
    /// Thousandths.
    pub(super) recovery_factor: u64,
    pub(super) half_open: u32,
    pub(super) half_open_max: Option<u64>,
}

/// The rules as given; `None` is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Settings {
    pub(super) failures: Option<u32>,
    pub(super) failure_rate: Option<f64>,
    pub(super) slow_call: Option<Duration>,
    pub(super) slow_rate: Option<f64>,
    pub(super) window_calls: Option<usize>,
    pub(super) window_time: Option<Duration>,
    pub(super) min_calls: Option<usize>,
    pub(super) recovery: Option<Duration>,
    pub(super) recovery_factor: Option<f64>,
    pub(super) recovery_max: Option<Duration>,
    pub(super) half_open: Option<u32>,
    pub(super) half_open_max: Option<Duration>,
}

impl Settings {
    pub(super) const NONE: Self = Self {
        failures: None,
        failure_rate: None,
        slow_call: None,
        slow_rate: None,
        window_calls: None,
        window_time: None,
        min_calls: None,
        recovery: None,
        recovery_factor: None,
        recovery_max: None,
        half_open: None,
        half_open_max: None,
    };

    /// The rules, or the first that is wrong.
    #[expect(
        clippy::too_many_lines,
        reason = "one rule after the other, in the order of the keys"
    )]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the ranges are checked just before"
    )]
    pub(super) const fn check(&self) -> Result<Config, ConfigError> {
        if let (Some(_), Some(_)) = (self.window_calls, self.window_time) {
            return Err(ConfigError::new(
                "window",
                "`window` is a number of calls or a time, not both",
            ));
        }
        let failure_rate = match parts(self.failure_rate, "`failure_rate` is above 0 and at most 1")
        {
            Ok(parts) => parts,
            Err(reason) => return Err(ConfigError::new("failure_rate", reason)),
        };
        let slow_rate = match parts(self.slow_rate, "`slow_rate` is above 0 and at most 1") {
            Ok(parts) => parts,
            Err(reason) => return Err(ConfigError::new("slow_rate", reason)),
        };
        let slow_call = match self.slow_call {
            Some(slow) if slow.is_zero() => {
                return Err(ConfigError::new(
                    "slow_call",
                    "`slow_call` is longer than nothing",
                ));
            }
            Some(slow) => Some(nanos(slow)),
            None => None,
        };
        let slow_rate = match (slow_rate, slow_call) {
            (Some(_), None) => {
                return Err(ConfigError::new(
                    "slow_rate",
                    "`slow_rate` needs `slow_call`, to know what slow is",
                ));
            }
            // Whoever says what slow is wants it to count; resilience4j's default is all of them.
            (None, Some(_)) => Some(PARTS),
            (slow_rate, _) => slow_rate,
        };
        let rated = failure_rate.is_some() || slow_rate.is_some();
        let failures = match self.failures {
            Some(0) => return Err(ConfigError::new("failures", "`failures` is at least 1")),
            None if failure_rate.is_none() => Some(5),
            // As far as a streak is counted.
            Some(failures) if failures > MAX_STREAK => Some(MAX_STREAK),
            failures => failures,
        };
        let window = match (self.window_calls, self.window_time) {
            (Some(0), _) => {
                return Err(ConfigError::new(
                    "window",
                    "`window` holds at least one call",
                ));
            }
            (Some(calls), _) if calls > 1_000_000 => {
                return Err(ConfigError::new(
                    "window",
                    "`window` holds at most a million calls",
                ));
            }
            (Some(calls), _) => Window::Calls(calls as u32),
            (None, Some(time)) if time.as_nanos() < 1_000_000 => {
                return Err(ConfigError::new(
                    "window",
                    "`window` is at least a millisecond",
                ));
            }
            (None, Some(time)) => Window::Nanos(nanos(time)),
            (None, None) => Window::Calls(100),
        };
        if !rated && (self.window_calls.is_some() || self.window_time.is_some()) {
            return Err(ConfigError::new(
                "window",
                "`window` needs `failure_rate` or `slow_rate`",
            ));
        }
        if !rated && self.min_calls.is_some() {
            return Err(ConfigError::new(
                "min_calls",
                "`min_calls` needs `failure_rate` or `slow_rate`",
            ));
        }
        let most = match window {
            Window::Calls(calls) => calls,
            Window::Nanos(_) => u32::MAX,
        };
        let min_calls = match self.min_calls {
            Some(0) => return Err(ConfigError::new("min_calls", "`min_calls` is at least 1")),
            Some(calls) if calls as u64 > most as u64 => {
                return Err(ConfigError::new(
                    "min_calls",
                    "`min_calls` is more than the window holds, so it would never open",
                ));
            }
            Some(calls) => calls as u32,
            None if most < 10 => most,
            None => 10,
        };
        let recovery = match self.recovery {
            Some(recovery) => nanos(recovery),
            None => 60_000_000_000,
        };
        let recovery_factor = match self.recovery_factor {
            // `contains` is not `const`; a NaN fails both comparisons.
            Some(factor) if !(factor >= 1.0 && factor <= 1000.0) => {
                return Err(ConfigError::new(
                    "recovery_factor",
                    "`recovery_factor` is from 1 to 1000",
                ));
            }
            Some(factor) => (factor * 1000.0 + 0.5) as u64,
            None => 1000,
        };
        let recovery_max = match self.recovery_max {
            Some(max) if nanos(max) < recovery => {
                return Err(ConfigError::new(
                    "recovery_max",
                    "`recovery_max` is at least `recovery`",
                ));
            }
            Some(max) => nanos(max),
            None => u64::MAX,
        };
        let half_open = match self.half_open {
            Some(0) => return Err(ConfigError::new("half_open", "`half_open` is at least 1")),
            Some(probes) if probes > MAX_HALF_OPEN => {
                return Err(ConfigError::new("half_open", "`half_open` is at most 8191"));
            }
            Some(probes) => probes,
            None => 3,
        };
        let half_open_max = match self.half_open_max {
            Some(wait) if wait.is_zero() => {
                return Err(ConfigError::new(
                    "half_open_max",
                    "`half_open_max` is longer than nothing",
                ));
            }
            Some(wait) => Some(nanos(wait)),
            None => None,
        };
        Ok(Config {
            failures,
            failure_rate,
            slow_rate,
            slow_call,
            window,
            slices_per_time: slices_per_time(window),
            min_calls,
            recovery,
            recovery_max,
            recovery_factor,
            half_open,
            half_open_max,
        })
    }
}

/// Which keys were given, one bit for each in the order of [`KEYS`].
#[derive(Clone, Copy)]
pub(super) struct Given(u16);

const KEYS: [&str; 11] = [
    "failures",
    "failure_rate",
    "slow_call",
    "slow_rate",
    "window",
    "min_calls",
    "recovery",
    "recovery_factor",
    "recovery_max",
    "half_open",
    "half_open_max",
];

impl Settings {
    pub(super) const fn given(&self) -> Given {
        // In the order of `KEYS`; destructured, so that none is forgotten.
        let Self {
            failures,
            failure_rate,
            slow_call,
            slow_rate,
            window_calls,
            window_time,
            min_calls,
            recovery,
            recovery_factor,
            recovery_max,
            half_open,
            half_open_max,
        } = self;
        let given = [
            failures.is_some(),
            failure_rate.is_some(),
            slow_call.is_some(),
            slow_rate.is_some(),
            window_calls.is_some() || window_time.is_some(),
            min_calls.is_some(),
            recovery.is_some(),
            recovery_factor.is_some(),
            recovery_max.is_some(),
            half_open.is_some(),
            half_open_max.is_some(),
        ];
        let (mut bits, mut key) = (0, 0);
        while key < given.len() {
            bits |= (given[key] as u16) << key;
            key += 1;
        }
        Given(bits)
    }
}

/// The keys that both give, and give differently.
pub(super) fn differing(first: (&Config, Given), second: (&Config, Given)) -> Vec<&'static str> {
    let same = |a: &Config, b: &Config| {
        [
            a.failures == b.failures,
            a.failure_rate == b.failure_rate,
            a.slow_call == b.slow_call,
            a.slow_rate == b.slow_rate,
            a.window == b.window,
            a.min_calls == b.min_calls,
            a.recovery == b.recovery,
            a.recovery_factor == b.recovery_factor,
            a.recovery_max == b.recovery_max,
            a.half_open == b.half_open,
            a.half_open_max == b.half_open_max,
        ]
    };
    let both = first.1.0 & second.1.0;
    let same = same(first.0, second.0);
    (0..KEYS.len())
        .filter(|key| both >> key & 1 == 1 && !same[*key])
        .map(|key| KEYS[key])
        .collect()
}

impl Settings {
    /// Takes over a setting from the environment.
    pub(super) fn apply(&mut self, key: &str, value: &Value) {
        match (key, value) {
            ("FAILURES", Value::Count(failures)) => self.failures = Some(*failures),
            ("FAILURE_RATE", Value::Number(rate)) => self.failure_rate = Some(*rate),
            ("WINDOW", Value::Count(calls)) => {
                (self.window_calls, self.window_time) = (Some(*calls as usize), None);
            }
            ("WINDOW", Value::Time(time)) => {
                (self.window_calls, self.window_time) = (None, Some(*time));
            }
            ("MIN_CALLS", Value::Count(calls)) => self.min_calls = Some(*calls as usize),
            ("SLOW_CALL", Value::Time(slow)) => self.slow_call = Some(*slow),
            ("SLOW_RATE", Value::Number(rate)) => self.slow_rate = Some(*rate),
            ("RECOVERY", Value::Time(recovery)) => self.recovery = Some(*recovery),
            ("RECOVERY_MAX", Value::Time(max)) => self.recovery_max = Some(*max),
            ("RECOVERY_FACTOR", Value::Number(factor)) => self.recovery_factor = Some(*factor),
            ("HALF_OPEN", Value::Count(probes)) => self.half_open = Some(*probes),
            ("HALF_OPEN_MAX", Value::Time(wait)) => self.half_open_max = Some(*wait),
            _ => {}
        }
    }
}

/// Rounded up, so that a slice begins at the nanosecond that its length says.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a slice is many nanoseconds"
)]
const fn slices_per_time(window: Window) -> u64 {
    match window {
        Window::Calls(_) => 0,
        Window::Nanos(window) => ((1_u128 << 64).div_ceil((window / SLICES) as u128)) as u64,
    }
}

impl Config {
    /// Whether results are counted over a window at all.
    pub(super) const fn is_rated(&self) -> bool {
        self.failure_rate.is_some() || self.slow_rate.is_some()
    }
}

/// A fraction above 0 and at most 1, as parts.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "at most a thousand million"
)]
const fn parts(rate: Option<f64>, otherwise: &'static str) -> Result<Option<u64>, &'static str> {
    match rate {
        None => Ok(None),
        Some(rate) if rate > 0.0 && rate <= 1.0 => {
            // Rounded down: two thirds, which no decimal is, must be reached by two of three. Windows are
            // too small for a rate to fall between.
            let parts = (rate * PARTS as f64) as u64;
            Ok(Some(if parts == 0 { 1 } else { parts }))
        }
        Some(_) => Err(otherwise),
    }
}

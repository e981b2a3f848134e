//! The numbers of a breaker, for people and machines.

use std::time::{Duration, SystemTime};

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::{BreakerState, CircuitBreaker};
use crate::time::Timestamp;

/// Implements `Serialize` field by field: serde's derive would be one more crate for every user.
macro_rules! serialize_fields {
    ($ty:ident { $($field:ident),* $(,)? }) => {
        impl Serialize for $ty {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let Self { $($field),* } = self;
                let count = [$(stringify!($field)),*].len();
                let mut out = serializer.serialize_struct(stringify!($ty), count)?;
                $(out.serialize_field(stringify!($field), $field)?;)*
                out.end()
            }
        }
    };
}

/// All of a breaker as of one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BreakerSnapshot {
    /// The breaker's name.
    pub name: String,
    /// The state.
    pub state: BreakerState,
    /// When the state began.
    pub since: Timestamp,
    /// Whether a call would be let through now.
    pub would_admit: bool,
    /// How long until one may be, where it is known.
    pub retry_after: Option<Duration>,
    /// The code of the last failure.
    pub last_error_code: Option<String>,
    /// The window.
    pub window: WindowSnapshot,
    /// What was counted since the breaker was made; a reset leaves it.
    pub totals: TotalsSnapshot,
}

/// What the rates are taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct WindowSnapshot {
    /// Counted calls in the window.
    pub calls: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// Those of them that were slow.
    pub slow: u64,
    /// Failures per call; `None` below the least number of calls.
    pub failure_rate: Option<f64>,
    /// Slow calls per call; `None` below the least number of calls.
    pub slow_rate: Option<f64>,
}

/// Each acquisition ends in exactly one of successes, failures, ignored, rejected and stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TotalsSnapshot {
    /// The service did its work.
    pub successes: u64,
    /// The service failed.
    pub failures: u64,
    /// Neutral, dropped and cancelled calls.
    pub ignored: u64,
    /// Slow calls among successes and failures.
    pub slow: u64,
    /// Calls that were not let through.
    pub rejected: u64,
    /// Results that came after the state had changed.
    pub stale: u64,
    /// How often the circuit opened by itself.
    pub opened: u64,
}

serialize_fields!(WindowSnapshot {
    calls,
    failures,
    slow,
    failure_rate,
    slow_rate
});
serialize_fields!(TotalsSnapshot {
    successes,
    failures,
    ignored,
    slow,
    rejected,
    stale,
    opened
});
serialize_fields!(BreakerSnapshot {
    name,
    state,
    since,
    would_admit,
    retry_after,
    last_error_code,
    window,
    totals,
});

impl Serialize for BreakerState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl BreakerSnapshot {
    pub(super) fn new(breaker: &CircuitBreaker) -> Self {
        let view = breaker.engine.view();
        let config = breaker.engine.config();
        let counts = view.counts;
        let enough = counts.calls >= u64::from(config.min_calls);
        let rate = |count: u64| enough.then(|| share(count, counts.calls));
        let totals = view.totals;
        Self {
            name: breaker.name().to_owned(),
            state: view.state,
            since: view.since.unwrap_or_else(process_start).into(),
            would_admit: view.would_admit,
            retry_after: view.retry_after,
            last_error_code: view.last_error_code.map(str::to_owned),
            window: WindowSnapshot {
                calls: counts.calls,
                failures: counts.failures,
                slow: counts.slow,
                failure_rate: config.is_rated().then(|| rate(counts.failures)).flatten(),
                slow_rate: config.slow_call.and_then(|_| rate(counts.slow)),
            },
            totals: TotalsSnapshot {
                successes: totals.successes,
                failures: totals.failures,
                ignored: totals.ignored,
                slow: totals.slow,
                rejected: totals.rejected,
                stale: totals.stale,
                opened: totals.opened,
            },
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share for people; rules compare integers"
)]
fn share(count: u64, of: u64) -> f64 {
    count as f64 / of as f64
}

/// A breaker that never changed has been closed since before anybody asked.
fn process_start() -> SystemTime {
    static START: std::sync::OnceLock<SystemTime> = std::sync::OnceLock::new();
    *START.get_or_init(SystemTime::now)
}

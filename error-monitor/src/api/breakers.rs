//! The circuit breakers of this process, and the levers on them.

use std::sync::Arc;
use std::time::Duration;

use error_runtime::time::Timestamp;
use error_runtime::{BreakerHandle, BreakerSnapshot, BreakerState, Breakers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::guard::{Audit, Call};
use super::params::cursor;
use super::{AdminError, Answer, Api};
use crate::store::{JournalKind, JournalQuery, StoredEvent};
use crate::time::{DAY, SECOND};

/// All circuit breakers of a process.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BreakerList {
    /// The process: each has its own.
    instance: String,
    breakers: Vec<Breaker>,
}

/// A circuit breaker.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Breaker {
    name: String,
    state: State,
    /// When the state began.
    #[schemars(with = "super::Time")]
    since: Timestamp,
    /// Whether a call would be let through now.
    would_admit: bool,
    /// How long until one may be, in milliseconds, where it is known.
    retry_after_ms: Option<u64>,
    /// The code of the last failure.
    last_error_code: Option<String>,
    window: Window,
    totals: Totals,
}

/// What a circuit breaker does with calls.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Closed,
    Open,
    HalfOpen,
    ForcedOpen,
    Disabled,
    MetricsOnly,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Window {
    calls: u64,
    failures: u64,
    slow: u64,
    #[schemars(range(min = 0.0, max = 1.0))]
    failure_rate: Option<f64>,
    #[schemars(range(min = 0.0, max = 1.0))]
    slow_rate: Option<f64>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Totals {
    successes: u64,
    failures: u64,
    ignored: u64,
    slow: u64,
    rejected: u64,
    stale: u64,
    opened: u64,
}

impl From<BreakerState> for State {
    #[expect(
        clippy::match_wildcard_for_single_variants,
        reason = "the runtime may add states"
    )]
    fn from(state: BreakerState) -> Self {
        match state {
            BreakerState::Closed => Self::Closed,
            BreakerState::Open => Self::Open,
            BreakerState::HalfOpen => Self::HalfOpen,
            BreakerState::ForcedOpen => Self::ForcedOpen,
            BreakerState::Disabled => Self::Disabled,
            // `MetricsOnly`, and whatever a later runtime adds.
            _ => Self::MetricsOnly,
        }
    }
}

impl From<BreakerSnapshot> for Breaker {
    fn from(breaker: BreakerSnapshot) -> Self {
        let (window, totals) = (breaker.window, breaker.totals);
        Self {
            name: breaker.name,
            state: breaker.state.into(),
            since: breaker.since,
            would_admit: breaker.would_admit,
            retry_after_ms: breaker
                .retry_after
                .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            last_error_code: breaker.last_error_code,
            window: Window {
                calls: window.calls,
                failures: window.failures,
                slow: window.slow,
                failure_rate: window.failure_rate,
                slow_rate: window.slow_rate,
            },
            totals: Totals {
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

pub(super) async fn list(api: Arc<Api>, _: &mut Call) -> Result<Answer, AdminError> {
    let breakers = Breakers::global()
        .iter()
        .map(|breaker| breaker.snapshot().into())
        .collect();
    Answer::json(&BreakerList {
        instance: api.shared.instance.to_string(),
        breakers,
    })
}

fn find(call: &Call) -> Result<BreakerHandle, AdminError> {
    let service = call.part(0);
    Breakers::global()
        .get(service)
        .ok_or_else(|| AdminError::UnknownService {
            service: crate::text::clean(service, 256),
        })
}

pub(super) async fn one(_: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    Answer::json(&Breaker::from(find(call)?.snapshot()))
}

/// What a circuit breaker did.
#[derive(Serialize, JsonSchema)]
pub(crate) struct BreakerEvents {
    events: Vec<BreakerEvent>,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct BreakerEvent {
    #[schemars(with = "super::Time")]
    time: Timestamp,
    /// The process whose breaker it is.
    instance: String,
    from: String,
    to: String,
}

pub(super) async fn events(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let service = call.part(0).to_owned();
    api.flush().await;
    let query = JournalQuery {
        kind: JournalKind::Breaker,
        subject: Some(service.clone()),
        before: call.params.cursor(),
        limit: call.params.limit(50),
    };
    let page = api.store.journal(&query).await?;
    if page.entries.is_empty() && query.before.is_none() {
        // Another process may have had it; if none has, there is none.
        find(call)?;
    }
    let text = |body: &serde_json::Value, key: &str| {
        body.get(key)
            .and_then(|text| text.as_str())
            .unwrap_or("")
            .to_owned()
    };
    let events = page
        .entries
        .into_iter()
        .map(|(entry, instance)| BreakerEvent {
            time: StoredEvent::time_of(entry.id),
            instance,
            from: text(&entry.body, "from"),
            to: text(&entry.body, "to"),
        })
        .collect();
    Answer::json(&BreakerEvents {
        events,
        next_cursor: page.next.map(cursor),
    })
}

/// Why, for the audit. The body may be left out.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Reason {
    #[schemars(length(max = 500))]
    reason: Option<String>,
}

/// How a circuit is held open. The body may be left out.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ForceOpen {
    #[schemars(length(max = 500))]
    reason: Option<String>,
    /// For so many seconds; without it until somebody says otherwise.
    #[schemars(range(min = 1, max = 2_592_000))]
    seconds: Option<u64>,
}

/// What became of a circuit breaker.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Changed {
    /// The process in which it was done: each has its own breakers.
    instance: String,
    before: State,
    breaker: Breaker,
}

/// What became of all circuit breakers.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ChangedAll {
    /// The process in which it was done: each has its own breakers.
    instance: String,
    /// Those that were not closed before.
    reset: Vec<String>,
    breakers: Vec<Breaker>,
}

fn checked_reason(reason: Option<String>) -> Result<Option<String>, AdminError> {
    if reason
        .as_ref()
        .is_some_and(|reason| reason.chars().count() > 500)
    {
        return Err(AdminError::InvalidField {
            field: "reason".to_owned(),
            reason: "it has more than 500 characters".to_owned(),
        });
    }
    Ok(reason.map(|reason| crate::text::clean(&reason, 2000)))
}

fn apply(
    api: &Api,
    call: &mut Call,
    reason: Option<String>,
    seconds: Option<u64>,
    lever: impl FnOnce(&BreakerHandle),
) -> Result<Answer, AdminError> {
    let reason = checked_reason(reason)?;
    let breaker = find(call)?;
    let before = breaker.state();
    lever(&breaker);
    let after = breaker.snapshot();
    let mut said = json!({ "state": after.state, "reason": reason });
    if let Some(seconds) = seconds {
        said["seconds"] = json!(seconds);
    }
    call.audit = Some(Audit {
        target: breaker.name().to_owned(),
        before: json!({ "state": before }),
        after: said,
    });
    Answer::json(&Changed {
        instance: api.shared.instance.to_string(),
        before: before.into(),
        breaker: after.into(),
    })
}

pub(super) async fn reset(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let Reason { reason } = call.body_or_default()?;
    apply(&api, call, reason, None, |breaker| breaker.reset())
}

pub(super) async fn disable(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let Reason { reason } = call.body_or_default()?;
    apply(&api, call, reason, None, |breaker| breaker.disable())
}

pub(super) async fn automatic(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let Reason { reason } = call.body_or_default()?;
    apply(&api, call, reason, None, |breaker| breaker.automatic())
}

pub(super) async fn force_open(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    const MOST: u64 = 30 * DAY / SECOND;
    let ForceOpen { reason, seconds } = call.body_or_default()?;
    if seconds.is_some_and(|seconds| !(1..=MOST).contains(&seconds)) {
        return Err(AdminError::InvalidField {
            field: "seconds".to_owned(),
            reason: format!("it is from 1 to {MOST}"),
        });
    }
    apply(&api, call, reason, seconds, |breaker| {
        breaker.force_open(seconds.map(Duration::from_secs));
    })
}

pub(super) async fn reset_all(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let Reason { reason } = call.body_or_default()?;
    let reason = checked_reason(reason)?;
    let all = Breakers::global();
    let open = all
        .iter()
        .filter(|breaker| breaker.state() != BreakerState::Closed);
    let reset: Vec<String> = open.map(|breaker| breaker.name().to_owned()).collect();
    all.reset_all();
    call.audit = Some(Audit {
        target: "*".to_owned(),
        before: json!({ "not_closed": reset }),
        after: json!({ "reason": reason }),
    });
    let breakers = all
        .iter()
        .map(|breaker| breaker.snapshot().into())
        .collect();
    Answer::json(&ChangedAll {
        instance: api.shared.instance.to_string(),
        reset,
        breakers,
    })
}

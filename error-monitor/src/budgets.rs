//! Error budgets: how much may fail, how much has, and how fast it goes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use error_runtime::time::Timestamp;

use crate::store::{ErrorStore, RequestQuery, StoreError};
use crate::time::{DAY, HOUR, MINUTE, Range, at};

/// How many requests must succeed: `0.999` is one failure in a thousand, over 30 days.
///
/// ```
/// let budget = error_monitor::Budget::new("checkout", 0.999).route("/checkout");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Budget {
    /// Its name: 1 to 64 of `a-z`, `0-9`, `-`, `_` and `.`.
    #[schemars(regex(pattern = "^[a-z0-9_.-]{1,64}$"))]
    pub name: String,
    /// The share of requests that must not be answered with 5xx: from 0.5 to 0.99999.
    #[schemars(range(min = 0.5, max = 0.99999))]
    pub objective: f64,
    /// The requests of this route alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Below so many requests in the longer of two windows nothing is said: 100 unless told otherwise.
    #[serde(default = "default_min_requests")]
    pub min_requests: u64,
}

const fn default_min_requests() -> u64 {
    100
}

impl Budget {
    /// A budget for all requests.
    pub fn new(name: impl Into<String>, objective: f64) -> Self {
        Self {
            name: name.into(),
            objective,
            route: None,
            min_requests: default_min_requests(),
        }
    }

    /// For the requests of this route alone.
    #[must_use]
    pub fn route(mut self, template: impl Into<String>) -> Self {
        self.route = Some(template.into());
        self
    }

    /// Below so many requests in the longer of two windows nothing is said.
    #[must_use]
    pub const fn min_requests(mut self, requests: u64) -> Self {
        self.min_requests = requests;
        self
    }

    /// What is wrong with it: the field, and why.
    pub(crate) fn mistake(&self) -> Option<(&'static str, &'static str)> {
        if !is_name(&self.name) {
            return Some(("name", NAME_RULE));
        }
        if !(0.5..=0.99999).contains(&self.objective) {
            return Some(("objective", "it is from 0.5 to 0.99999"));
        }
        self.route
            .as_ref()
            .filter(|route| route.is_empty() || route.len() > 256)
            .map(|_| ("route", "a route has 1 to 256 bytes"))
    }
}

pub(crate) const NAME_RULE: &str = "a name has 1 to 64 of a-z, 0-9, `-`, `_` and `.`";

pub(crate) fn is_name(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-_.".contains(&c);
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

/// Two windows: the longer tells that it is serious, the shorter that it still goes on.
pub(crate) struct Burn {
    pub(crate) name: &'static str,
    pub(crate) long: u64,
    pub(crate) short: u64,
    /// How many times as fast as would use up the budget in 30 days.
    pub(crate) threshold: f64,
    pub(crate) severity: &'static str,
}

/// The four of Google's SRE workbook, chapter 5.
pub(crate) const BURNS: [Burn; 4] = [
    Burn {
        name: "1h/5m",
        long: HOUR,
        short: 5 * MINUTE,
        threshold: 14.4,
        severity: "critical",
    },
    Burn {
        name: "6h/30m",
        long: 6 * HOUR,
        short: 30 * MINUTE,
        threshold: 6.0,
        severity: "critical",
    },
    Burn {
        name: "1d/2h",
        long: DAY,
        short: 2 * HOUR,
        threshold: 3.0,
        severity: "warning",
    },
    Burn {
        name: "3d/6h",
        long: 3 * DAY,
        short: 6 * HOUR,
        threshold: 1.0,
        severity: "warning",
    },
];

const PERIOD: u64 = 30 * DAY;

/// How a budget is doing.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct BudgetState {
    pub(crate) name: String,
    pub(crate) objective: f64,
    pub(crate) route: Option<String>,
    /// How long the period is.
    period_days: u64,
    /// In the period.
    requests: u64,
    /// Of them, answered with 5xx.
    errors: u64,
    /// What is left of the budget, as a share of it; less than nothing when it is overspent.
    left: f64,
    /// When it will be used up if it goes on as in the last day; null if it will last.
    #[schemars(with = "Option<crate::api::Time>")]
    exhausted_at: Option<Timestamp>,
    /// The pairs of windows, the most urgent first.
    pub(crate) burns: Vec<BurnState>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct BurnState {
    /// The longer and the shorter window.
    pub(crate) windows: &'static str,
    pub(crate) long_rate: f64,
    pub(crate) short_rate: f64,
    pub(crate) threshold: f64,
    /// Both are above the threshold, and there are requests enough.
    pub(crate) burning: bool,
    pub(crate) severity: &'static str,
}

/// Requests and failures of one window.
type Volume = (u64, u64);

async fn volume(
    store: &dyn ErrorStore,
    budget: &Budget,
    now: Timestamp,
    length: u64,
) -> Result<Volume, StoreError> {
    let query = RequestQuery {
        range: Range::before(now, length),
        step: None,
        route: budget.route.clone(),
        by_route: false,
    };
    let rows = store.requests(&query).await?;
    Ok(rows.iter().fold((0, 0), |(all, failed), row| {
        (all + row.total, failed + row.server_errors)
    }))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "rates are for people and rules of thumb"
)]
fn burn_rate(budget: &Budget, (requests, errors): Volume) -> f64 {
    if requests == 0 {
        return 0.0;
    }
    let rate = errors as f64 / requests as f64 / (1.0 - budget.objective);
    // 1 - 0.999 is not quite 0.001; what is beyond six places is that.
    (rate * 1e6).round() / 1e6
}

/// How a budget is doing, from the counts of requests.
pub(crate) async fn state(
    store: &dyn ErrorStore,
    budget: &Budget,
    now: Timestamp,
) -> Result<BudgetState, StoreError> {
    // Up to the end of the minute: what was counted a moment ago belongs to it.
    let now = at(now.unix_millis().div_ceil(MINUTE) * MINUTE);
    let mut burns = Vec::new();
    for burn in &BURNS {
        let long = volume(store, budget, now, burn.long).await?;
        let short = volume(store, budget, now, burn.short).await?;
        let (long_rate, short_rate) = (burn_rate(budget, long), burn_rate(budget, short));
        burns.push(BurnState {
            windows: burn.name,
            long_rate,
            short_rate,
            threshold: burn.threshold,
            burning: long_rate > burn.threshold
                && short_rate > burn.threshold
                && long.0 >= budget.min_requests,
            severity: burn.severity,
        });
    }
    let (requests, errors) = volume(store, budget, now, PERIOD).await?;
    let left = 1.0 - burn_rate(budget, (requests, errors));
    let day = volume(store, budget, now, DAY).await?;
    Ok(BudgetState {
        name: budget.name.clone(),
        objective: budget.objective,
        route: budget.route.clone(),
        period_days: PERIOD / DAY,
        requests,
        errors,
        left,
        exhausted_at: exhausted_at(left, burn_rate(budget, day), now),
        burns,
    })
}

/// When what is left is gone, at the rate of the last day.
fn exhausted_at(left: f64, rate: f64, now: Timestamp) -> Option<Timestamp> {
    if left <= 0.0 {
        return Some(now);
    }
    #[expect(clippy::cast_precision_loss, reason = "a time for people")]
    let millis = left / rate * PERIOD as f64;
    // A rate of one lasts for the period, after which the budget is new.
    if rate <= 1.0 || !millis.is_finite() {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most a period"
    )]
    Some(at(now.unix_millis() + millis as u64))
}

//! When somebody is to be told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::budgets::{NAME_RULE, is_name};
use crate::span::Span;
use crate::store::{EventFilter, GroupBy};
use crate::time::{DAY, HOUR, MINUTE};

/// When somebody is to be told, and how urgently.
///
/// ```
/// use error_monitor::{AlertRule, Condition, Severity};
/// use std::time::Duration;
///
/// let rule = AlertRule::new("checkout-fails", Condition::rate(0.05, Duration::from_secs(300)))
///     .severity(Severity::Critical)
///     .holds_for(Duration::from_secs(120));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AlertRule {
    /// Its name: 1 to 64 of `a-z`, `0-9`, `-`, `_` and `.`.
    #[schemars(regex(pattern = "^[a-z0-9_.-]{1,64}$"))]
    pub name: String,
    /// What must be so.
    pub when: Condition,
    /// Of which failures alone, for counts, rates and new codes.
    #[serde(default, skip_serializing_if = "EventFilter::is_empty")]
    pub filter: EventFilter,
    /// One alert for each code, service and so on, rather than one for all. For counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<GroupBy>,
    /// For how long it must be so before anybody is told: `0s` unless told otherwise.
    #[serde(default, rename = "for")]
    pub holds_for: Span,
    /// How often it is said again while it lasts: every `4h` unless told otherwise.
    #[serde(default = "four_hours")]
    pub repeat: Span,
    /// How urgent it is: an error unless told otherwise.
    #[serde(default)]
    pub severity: Severity,
    /// Who is told, by the names of channels; all of them if there is none here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// Whether it is looked at: yes unless told otherwise.
    #[serde(default = "yes")]
    pub enabled: bool,
}

const fn four_hours() -> Span {
    Span::from_millis(4 * HOUR)
}

const fn five_minutes() -> Span {
    Span::from_millis(5 * MINUTE)
}

const fn yes() -> bool {
    true
}

const fn twenty() -> u64 {
    20
}

/// What must be so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Condition {
    /// At least so many failures in the window.
    Count {
        /// So many; at least 1.
        #[schemars(range(min = 1))]
        threshold: u64,
        /// How far back: `5m` unless told otherwise.
        #[serde(default = "five_minutes")]
        window: Span,
    },
    /// At least this share of requests was answered with 5xx in the window.
    Rate {
        /// From 0 to 1.
        #[schemars(range(min = 0.0, max = 1.0))]
        threshold: f64,
        /// How far back: `5m` unless told otherwise.
        #[serde(default = "five_minutes")]
        window: Span,
        /// Below so many requests nothing is said: 20 unless told otherwise.
        #[serde(default = "twenty")]
        min_requests: u64,
    },
    /// A kind of failure that was never met before, in the window.
    NewCode {
        /// How far back: `5m` unless told otherwise.
        #[serde(default = "five_minutes")]
        window: Span,
    },
    /// A circuit is not closed for longer than that, in any process.
    BreakerOpen {
        /// This one alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<String>,
        /// How long: `5m` unless told otherwise.
        #[serde(default = "five_minutes")]
        longer_than: Span,
    },
    /// A health check fails, in any process.
    HealthFailing {
        /// This one alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        check: Option<String>,
    },
    /// An error budget is used up too fast.
    BudgetBurn {
        /// This one alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        budget: Option<String>,
    },
}

impl Condition {
    /// At least so many failures in the window.
    pub fn count(threshold: u64, window: impl Into<Span>) -> Self {
        Self::Count {
            threshold,
            window: window.into(),
        }
    }

    /// At least this share of at least 20 requests was answered with 5xx in the window.
    pub fn rate(threshold: f64, window: impl Into<Span>) -> Self {
        Self::Rate {
            threshold,
            window: window.into(),
            min_requests: twenty(),
        }
    }

    /// A kind of failure that was never met before, in the last five minutes.
    pub const fn new_code() -> Self {
        Self::NewCode {
            window: five_minutes(),
        }
    }

    /// A circuit is not closed for longer than that.
    pub fn breaker_open(longer_than: impl Into<Span>) -> Self {
        Self::BreakerOpen {
            service: None,
            longer_than: longer_than.into(),
        }
    }

    /// A health check fails.
    pub const fn health_failing() -> Self {
        Self::HealthFailing { check: None }
    }

    /// An error budget is used up too fast.
    pub const fn budget_burn() -> Self {
        Self::BudgetBurn { budget: None }
    }
}

/// How urgent something is, in PagerDuty's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// Somebody must get up.
    Critical,
    /// Something is broken.
    #[default]
    Error,
    /// Something will be.
    Warning,
    /// Good to know.
    Info,
}

impl Severity {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl AlertRule {
    /// A rule with every default.
    pub fn new(name: impl Into<String>, when: Condition) -> Self {
        Self {
            name: name.into(),
            when,
            filter: EventFilter::default(),
            group_by: None,
            holds_for: Span::default(),
            repeat: four_hours(),
            severity: Severity::default(),
            channels: Vec::new(),
            enabled: true,
        }
    }

    /// Of which failures alone.
    #[must_use]
    pub fn filter(mut self, change: impl FnOnce(&mut EventFilter)) -> Self {
        change(&mut self.filter);
        self
    }

    /// One alert for each.
    #[must_use]
    pub const fn group_by(mut self, group_by: GroupBy) -> Self {
        self.group_by = Some(group_by);
        self
    }

    /// For how long it must be so before anybody is told.
    #[must_use]
    pub fn holds_for(mut self, time: impl Into<Span>) -> Self {
        self.holds_for = time.into();
        self
    }

    /// How often it is said again while it lasts.
    #[must_use]
    pub fn repeat(mut self, time: impl Into<Span>) -> Self {
        self.repeat = time.into();
        self
    }

    /// How urgent it is.
    #[must_use]
    pub const fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Who is told.
    #[must_use]
    pub fn channels<C: Into<String>>(mut self, channels: impl IntoIterator<Item = C>) -> Self {
        self.channels = channels.into_iter().map(Into::into).collect();
        self
    }

    /// What is wrong with it: the field, and why.
    pub(crate) fn mistake(&self) -> Option<(&'static str, &'static str)> {
        const WINDOW: &str = "a window is from 1m to 1d";
        let bad_window = |window: &Span| !(MINUTE..=DAY).contains(&window.millis());
        if !is_name(&self.name) {
            return Some(("name", NAME_RULE));
        }
        match &self.when {
            Condition::Count { threshold: 0, .. } => {
                return Some(("when.threshold", "it is at least 1"));
            }
            Condition::Rate { threshold, .. } if !(*threshold > 0.0 && *threshold <= 1.0) => {
                return Some(("when.threshold", "it is above 0 and at most 1"));
            }
            Condition::Count { window, .. }
            | Condition::Rate { window, .. }
            | Condition::NewCode { window }
                if bad_window(window) =>
            {
                return Some(("when.window", WINDOW));
            }
            Condition::BreakerOpen { longer_than, .. } if longer_than.millis() > DAY => {
                return Some(("when.longer_than", "it is at most 1d"));
            }
            _ => {}
        }
        if self.group_by.is_some() && !matches!(self.when, Condition::Count { .. }) {
            return Some((
                "group_by",
                "only counts are told apart; a breaker, check or budget is by itself",
            ));
        }
        let rate = matches!(self.when, Condition::Rate { .. });
        let only_route = EventFilter {
            route: self.filter.route.clone(),
            ..EventFilter::default()
        };
        if rate && self.filter != only_route {
            return Some((
                "filter",
                "requests are counted by route alone; a rate can be of a route",
            ));
        }
        if self
            .filter
            .status
            .is_some_and(|status| !(100..=599).contains(&status))
        {
            return Some(("filter.status", "a status is from 100 to 599"));
        }
        if self.holds_for.millis() > DAY {
            return Some(("for", "it is at most 1d"));
        }
        if !(MINUTE..=30 * DAY).contains(&self.repeat.millis()) {
            return Some(("repeat", "it is from 1m to 30d"));
        }
        None
    }
}

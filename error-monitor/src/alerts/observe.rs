//! What is seen of a rule's condition at present.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use error_runtime::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::rule::{AlertRule, Condition};
use super::state::Observation;
use crate::budgets::{self, Budget};
use crate::span::Span;
use crate::store::{
    CountQuery, CountRow, ErrorStore, EventFilter, GroupBy, PatternQuery, RequestQuery, StoreError,
};
use crate::time::{MINUTE, Range, SECOND, at};

/// What a process says of itself, so that one of them can speak for all.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Heartbeat {
    /// Circuits that are not closed, and since when.
    pub(super) open: BTreeMap<String, u64>,
    /// Checks that fail, and what they say.
    pub(super) failing: BTreeMap<String, String>,
}

/// All that rules are looked at with.
pub(super) struct Seen<'a> {
    pub(super) store: &'a dyn ErrorStore,
    pub(super) now: Timestamp,
    /// Of the processes that live.
    pub(super) heartbeats: Vec<Heartbeat>,
    pub(super) budgets: Vec<Budget>,
}

/// A rule that tells apart more than that tells nobody anything.
pub(super) const MAX_GROUPS: usize = 50;

impl Seen<'_> {
    /// What of it is so, by group; nothing if it is not.
    pub(super) async fn observe(&self, rule: &AlertRule) -> Result<Vec<Observation>, StoreError> {
        let seen = match &rule.when {
            Condition::Count { threshold, window } => {
                self.counts(rule, *threshold, *window).await?
            }
            Condition::Rate {
                threshold,
                window,
                min_requests,
            } => self.rate(rule, *threshold, *window, *min_requests).await?,
            Condition::NewCode { window } => self.new_codes(rule, *window).await?,
            Condition::BreakerOpen {
                service,
                longer_than,
            } => self.open(service.as_deref(), *longer_than),
            Condition::HealthFailing { check } => self.failing(check.as_deref()),
            Condition::BudgetBurn { budget } => self.burning(budget.as_deref()).await?,
        };
        Ok(seen)
    }

    /// The last so many minutes, the one that has begun included.
    fn window(&self, window: Span) -> Range {
        // Counts are by the minute, so it is up to two minutes longer, and never shorter.
        let end = at(self.now.unix_millis() + 1);
        Range::before(end, window.millis()).widened(MINUTE)
    }

    async fn counted(
        &self,
        window: Span,
        group_by: GroupBy,
        filter: &EventFilter,
    ) -> Result<Vec<CountRow>, StoreError> {
        let range = self.window(window);
        let query = CountQuery {
            range,
            group_by,
            step: None,
            filter: filter.clone(),
        };
        self.store.counts(&query).await
    }

    async fn counts(
        &self,
        rule: &AlertRule,
        threshold: u64,
        window: Span,
    ) -> Result<Vec<Observation>, StoreError> {
        let rows = self
            .counted(window, rule.group_by.unwrap_or(GroupBy::Code), &rule.filter)
            .await?;
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for row in rows {
            let group = if rule.group_by.is_some() {
                row.key.to_string()
            } else {
                String::new()
            };
            *sums.entry(group).or_default() += row.count;
        }
        let mut sums: Vec<_> = sums
            .into_iter()
            .filter(|(_, count)| *count >= threshold)
            .collect();
        sums.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let observation = |(group, count): (String, u64)| Observation {
            group,
            value: number(count),
            summary: format!("{count} failures in {window} (from {threshold})"),
        };
        Ok(sums.into_iter().map(observation).collect())
    }

    async fn rate(
        &self,
        rule: &AlertRule,
        threshold: f64,
        window: Span,
        min_requests: u64,
    ) -> Result<Vec<Observation>, StoreError> {
        let query = RequestQuery {
            range: self.window(window),
            step: None,
            route: rule.filter.route.clone(),
            by_route: false,
        };
        let rows = self.store.requests(&query).await?;
        let total: u64 = rows.iter().map(|row| row.total).sum();
        let failed: u64 = rows.iter().map(|row| row.server_errors).sum();
        let rate = number(failed) / number(total.max(1));
        if total == 0 || total < min_requests || rate < threshold {
            return Ok(Vec::new());
        }
        let percent = |share: f64| share * 100.0;
        Ok(vec![Observation {
            group: String::new(),
            value: rate,
            summary: format!(
                "{:.1} % of {total} requests failed in {window} (from {:.1} %)",
                percent(rate),
                percent(threshold)
            ),
        }])
    }

    async fn new_codes(
        &self,
        rule: &AlertRule,
        window: Span,
    ) -> Result<Vec<Observation>, StoreError> {
        let range = self.window(window);
        let met: BTreeSet<Arc<str>> = self
            .counted(window, GroupBy::Fingerprint, &rule.filter)
            .await?
            .into_iter()
            .map(|row| row.key)
            .collect();
        let query = PatternQuery {
            range,
            fingerprint: None,
            state: None,
        };
        let mut rows = self.store.patterns(&query).await?;
        rows.retain(|row| {
            row.first_seen >= range.from.unix_millis() && met.contains(&*row.fingerprint)
        });
        rows.sort_by_key(|row| row.first_seen);
        let observation = |row: crate::store::PatternRow| Observation {
            value: number(row.count),
            // The public message: what the log says may hold what is not for a chat.
            summary: format!("new: {} ({}) {}", row.code, row.status, row.message),
            group: row.fingerprint,
        };
        Ok(rows.into_iter().map(observation).collect())
    }

    fn open(&self, service: Option<&str>, longer_than: Span) -> Vec<Observation> {
        let mut since: BTreeMap<&str, (u64, u32)> = BTreeMap::new();
        for (name, at) in self.heartbeats.iter().flat_map(|heartbeat| &heartbeat.open) {
            let all = since.entry(name).or_insert((*at, 0));
            *all = (all.0.min(*at), all.1 + 1);
        }
        let now = self.now.unix_millis();
        since
            .into_iter()
            .filter(|(name, _)| service.is_none_or(|wanted| wanted == *name))
            .filter(|(_, (at, _))| now.saturating_sub(*at) >= longer_than.millis())
            .map(|(name, (at, processes))| {
                let open = Span::from_millis((now.saturating_sub(at)) / SECOND * SECOND);
                Observation {
                    group: name.to_owned(),
                    value: number(open.millis() / SECOND),
                    summary: format!("the circuit has been open for {open}{}", within(processes)),
                }
            })
            .collect()
    }

    fn failing(&self, check: Option<&str>) -> Vec<Observation> {
        let mut failing: BTreeMap<&str, (&str, u32)> = BTreeMap::new();
        for (name, message) in self
            .heartbeats
            .iter()
            .flat_map(|heartbeat| &heartbeat.failing)
        {
            failing.entry(name).or_insert((message, 0)).1 += 1;
        }
        failing
            .into_iter()
            .filter(|(name, _)| check.is_none_or(|wanted| wanted == *name))
            .map(|(name, (message, processes))| Observation {
                group: name.to_owned(),
                value: f64::from(processes),
                summary: format!("the check fails{}: {message}", within(processes)),
            })
            .collect()
    }

    async fn burning(&self, budget: Option<&str>) -> Result<Vec<Observation>, StoreError> {
        let mut seen = Vec::new();
        for one in self
            .budgets
            .iter()
            .filter(|one| budget.is_none_or(|name| one.name == name))
        {
            let state = budgets::state(self.store, one, self.now).await?;
            for burn in state.burns.into_iter().filter(|burn| burn.burning) {
                seen.push(Observation {
                    group: format!("{} {}", one.name, burn.windows),
                    value: burn.long_rate,
                    summary: format!(
                        "the budget of {} is used up {:.1} times too fast ({}, from {})",
                        one.name, burn.long_rate, burn.windows, burn.threshold
                    ),
                });
            }
        }
        Ok(seen)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number for people")]
fn number(count: u64) -> f64 {
    count as f64
}

/// In how many processes, where it is more than one.
fn within(processes: impl Into<u64>) -> String {
    match processes.into() {
        1 => String::new(),
        processes => format!(" in {processes} processes"),
    }
}

//! How often what failed, over time.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use error_runtime::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::guard::Call;
use super::params::Params;
use super::{AdminError, Answer, Api};
use crate::store::{CountQuery, CountRow, EventFilter, GroupBy, RequestQuery};
use crate::time::{MINUTE, Range, at, floor};

/// Failures over time.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Stats {
    /// The first moment of what was counted: the range that was asked for, widened to whole minutes.
    #[schemars(with = "super::Time")]
    from: Timestamp,
    /// The first moment after it.
    #[schemars(with = "super::Time")]
    to: Timestamp,
    group_by: GroupBy,
    /// How long a step is.
    bucket: &'static str,
    /// All failures, 4xx too.
    total: u64,
    /// All requests, as far as the monitor's layer counts them.
    requests: u64,
    /// Requests answered with 5xx, of all requests; null where none were counted.
    #[schemars(range(min = 0.0, max = 1.0))]
    server_error_rate: Option<f64>,
    previous: Previous,
    buckets: Vec<Bucket>,
    /// The groups, the most frequent first; at most 50.
    groups: Vec<Group>,
    /// How many failures are in groups beyond those.
    other: u64,
}

/// The period before, as long.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Previous {
    #[schemars(with = "super::Time")]
    from: Timestamp,
    total: u64,
    /// How much more there is now, as a share of then: 1 is twice as many. Null where there was none.
    change: Option<f64>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Bucket {
    #[schemars(with = "super::Time")]
    start: Timestamp,
    count: u64,
    requests: u64,
    server_errors: u64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Group {
    /// The code, the status or whatever was asked for; empty for failures without one.
    key: String,
    count: u64,
    /// Of all failures.
    #[schemars(range(min = 0.0, max = 1.0))]
    share: f64,
    /// In the period before.
    previous: u64,
    change: Option<f64>,
    /// One number for each of the buckets, in their order.
    counts: Vec<u64>,
}

const MAX_GROUPS: usize = 50;

#[expect(clippy::cast_precision_loss, reason = "a share for people")]
fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

/// How much more there is now.
pub(super) fn change(now: u64, before: u64) -> Option<f64> {
    share(now, before).map(|ratio| ratio - 1.0)
}

pub(super) fn filter(params: &Params) -> EventFilter {
    EventFilter {
        code: params.text("code"),
        status: params.status(),
        service: params.text("service"),
        category: params.text("category"),
        route: params.text("route"),
        fingerprint: params.text("fingerprint"),
    }
}

pub(super) async fn stats(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let params = &call.params;
    let asked = params.range(api.shared.now())?;
    let (bucket, step) = params.step(asked)?;
    let range = asked.widened(MINUTE);
    let group = params.get("group_by").unwrap_or("code");
    let group_by = GroupBy::NAMES.iter().find(|(name, _)| *name == group);
    let group_by = group_by.map_or(GroupBy::Code, |(_, by)| *by);
    let filter = filter(params);

    let now = CountQuery {
        range,
        group_by,
        step: Some(step),
        filter: filter.clone(),
    };
    let before = CountQuery {
        range: range.previous(),
        group_by,
        step: None,
        filter: filter.clone(),
    };
    let requests = RequestQuery {
        range,
        step: Some(step),
        route: filter.route,
        by_route: false,
    };
    let (now, before, requests) = (
        api.store.counts(&now).await?,
        api.store.counts(&before).await?,
        api.store.requests(&requests).await?,
    );

    let steps = Steps::new(range, step);
    let mut buckets = steps.buckets();
    for row in &requests {
        if let Some(bucket) = buckets.get_mut(steps.place(row.start)) {
            bucket.requests += row.total;
            bucket.server_errors += row.server_errors;
        }
    }
    for row in &now {
        if let Some(bucket) = buckets.get_mut(steps.place(row.start)) {
            bucket.count += row.count;
        }
    }
    let total = now.iter().map(|row| row.count).sum();
    let previous = before.iter().map(|row| row.count).sum();
    let (groups, other) = groups(&now, &before, total, &steps);
    let all_requests = requests.iter().map(|row| row.total).sum();
    let server_errors = requests.iter().map(|row| row.server_errors).sum();
    Answer::json(&Stats {
        from: range.from,
        to: range.to,
        group_by,
        bucket,
        total,
        requests: all_requests,
        server_error_rate: share(server_errors, all_requests),
        previous: Previous {
            from: range.previous().from,
            total: previous,
            change: change(total, previous),
        },
        buckets,
        groups,
        other,
    })
}

/// The most frequent groups, and how many failures are in the others.
fn groups(now: &[CountRow], before: &[CountRow], total: u64, steps: &Steps) -> (Vec<Group>, u64) {
    let mut sums: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for row in now {
        sums.entry(&row.key).or_default().0 += row.count;
    }
    for row in before {
        sums.entry(&row.key).or_default().1 += row.count;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    // Keys come in their order, and stay in it where the numbers are the same.
    sums.sort_by_key(|(_, counts)| Reverse(*counts));
    let other = sums
        .iter()
        .skip(MAX_GROUPS)
        .map(|(_, (count, _))| count)
        .sum();
    sums.truncate(MAX_GROUPS);
    let mut groups: Vec<_> = sums
        .into_iter()
        .map(|(key, (count, previous))| Group {
            key: key.to_owned(),
            count,
            share: share(count, total).unwrap_or(0.0),
            previous,
            change: change(count, previous),
            counts: vec![0; steps.count],
        })
        .collect();
    let places: BTreeMap<String, usize> = groups
        .iter()
        .enumerate()
        .map(|(place, group)| (group.key.clone(), place))
        .collect();
    for row in now {
        if let Some(group) = places.get(&*row.key)
            && let Some(sum) = groups[*group].counts.get_mut(steps.place(row.start))
        {
            *sum += row.count;
        }
    }
    (groups, other)
}

/// The steps of a range, aligned to the clock: the first may begin before the range.
struct Steps {
    first: u64,
    step: u64,
    count: usize,
}

impl Steps {
    fn new(range: Range, step: u64) -> Self {
        let first = floor(range.from.unix_millis(), step);
        let count = (range.to.unix_millis() - first).div_ceil(step);
        Self {
            first,
            step,
            count: usize::try_from(count).unwrap_or(0),
        }
    }

    fn place(&self, start: u64) -> usize {
        usize::try_from(start.saturating_sub(self.first) / self.step).unwrap_or(usize::MAX)
    }

    fn buckets(&self) -> Vec<Bucket> {
        let starts = (0..self.count as u64).map(|place| at(self.first + place * self.step));
        starts
            .map(|start| Bucket {
                start,
                count: 0,
                requests: 0,
                server_errors: 0,
            })
            .collect()
    }
}

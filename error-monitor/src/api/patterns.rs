//! The kinds of failures.

use std::cmp::Reverse;
use std::sync::Arc;

use error_runtime::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::guard::{Audit, Call};
use super::{AdminError, Answer, Api};
use crate::store::{
    CountQuery, EventFilter, GroupBy, PatternDetails, PatternQuery, PatternRow, PatternState,
    RouteCount,
};
use crate::time::{DAY, MINUTE, Range, at};

/// Kinds of failures that were met in a range.
#[derive(Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the answer's name for it")]
pub(crate) struct Patterns {
    #[schemars(with = "super::Time")]
    from: Timestamp,
    #[schemars(with = "super::Time")]
    to: Timestamp,
    /// How many there are on all pages.
    total: usize,
    patterns: Vec<Pattern>,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
}

/// A kind of failure.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Pattern {
    fingerprint: String,
    domain: String,
    code: String,
    category: String,
    status: u16,
    level: String,
    /// What the client has read, the last time.
    message: String,
    /// What the log has read, the last time.
    display: String,
    #[schemars(with = "super::Time")]
    first_seen: Timestamp,
    #[schemars(with = "super::Time")]
    last_seen: Timestamp,
    /// In the range.
    count: u64,
    /// In the time before it, as long.
    previous: u64,
    /// How much more there is now, as a share of then; null where there was none.
    change: Option<f64>,
    /// Since it was met first.
    total: u64,
    /// Met first in the range.
    new: bool,
    /// Came back after it was resolved.
    regressed: bool,
    /// At least ten, and twice as many as before.
    rising: bool,
    state: PatternState,
    /// When that was said.
    #[schemars(with = "Option<super::Time>")]
    changed_at: Option<Timestamp>,
    changed_by: Option<String>,
    /// The most frequent; at most 10.
    routes: Vec<RouteCount>,
    /// The last requests that met it; at most 5.
    request_ids: Vec<String>,
}

/// A newer kind is not rising: it has nothing to rise from.
const RISING_FROM: u64 = 10;

pub(super) async fn patterns(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let params = &call.params;
    let range = params.range(api.shared.now())?.widened(MINUTE);
    let state = params.get("state").map(PatternState::named);
    let query = PatternQuery {
        range,
        fingerprint: params.text("fingerprint"),
        state,
    };
    let mut rows = api.store.patterns(&query).await?;
    if let Some(code) = params.get("code") {
        rows.retain(|row| row.code == code);
    }
    if let Some(service) = params.get("service") {
        let filter = EventFilter {
            service: Some(service.to_owned()),
            ..EventFilter::default()
        };
        let query = CountQuery {
            range,
            group_by: GroupBy::Fingerprint,
            step: None,
            filter,
        };
        let met: Vec<_> = api
            .store
            .counts(&query)
            .await?
            .into_iter()
            .map(|row| row.key)
            .collect();
        // Sorted by key, as a store gives them.
        rows.retain(|row| {
            met.binary_search_by(|key| (**key).cmp(row.fingerprint.as_str()))
                .is_ok()
        });
    }
    let sort = params.get("sort").unwrap_or("count");
    let key = |row: &PatternRow| match sort {
        "last_seen" => row.last_seen,
        "first_seen" => row.first_seen,
        _ => row.count,
    };
    rows.sort_by(|a, b| (Reverse(key(a)), &a.fingerprint).cmp(&(Reverse(key(b)), &b.fingerprint)));
    let total = rows.len();
    if let Some(cursor) = params.get("cursor") {
        let (value, fingerprint) = read_cursor(cursor)?;
        // Whatever has changed since: what comes after the place of the last one.
        rows.retain(|row| {
            (Reverse(key(row)), row.fingerprint.as_str()) > (Reverse(value), fingerprint)
        });
    }
    let limit = params.limit(20);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    let next_cursor = last.map(|row| format!("{:x}.{}", key(row), row.fingerprint));
    let fingerprints: Vec<_> = rows.iter().map(|row| row.fingerprint.clone()).collect();
    let details = api.store.pattern_details(&fingerprints, range).await?;
    let patterns = rows
        .into_iter()
        .zip(details)
        .map(|(row, details)| pattern(row, range, details))
        .collect();
    Answer::json(&Patterns {
        from: range.from,
        to: range.to,
        total,
        patterns,
        next_cursor,
    })
}

fn read_cursor(cursor: &str) -> Result<(u64, &str), AdminError> {
    let invalid = || AdminError::invalid("cursor", "expected the `next_cursor` of a page");
    let (value, fingerprint) = cursor.split_once('.').ok_or_else(invalid)?;
    let plain = value
        .bytes()
        .all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    let value = u64::from_str_radix(value, 16).ok().filter(|_| plain);
    Ok((value.ok_or_else(invalid)?, fingerprint))
}

fn pattern(row: PatternRow, range: Range, details: PatternDetails) -> Pattern {
    let PatternDetails {
        mut routes,
        request_ids,
    } = details;
    routes.truncate(10);
    let (changed_at, changed_by) = row.changed.unzip();
    Pattern {
        new: row.first_seen >= range.from.unix_millis(),
        regressed: row.regressed.is_some() && row.state == PatternState::Open,
        rising: row.previous > 0 && row.count >= RISING_FROM && row.count >= 2 * row.previous,
        change: super::stats::change(row.count, row.previous),
        fingerprint: row.fingerprint,
        domain: row.domain,
        code: row.code,
        category: row.category,
        status: row.status,
        level: row.level,
        message: row.message,
        display: row.display,
        first_seen: at(row.first_seen),
        last_seen: at(row.last_seen),
        count: row.count,
        previous: row.previous,
        total: row.total,
        state: row.state,
        changed_at: changed_at.map(at),
        changed_by,
        routes,
        request_ids,
    }
}

/// What is thought of it from now on.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    state: PatternState,
}

/// What is thought of it now.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Changed {
    fingerprint: String,
    state: PatternState,
    /// What was thought of it before.
    before: PatternState,
}

pub(super) async fn change(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let fingerprint = call.part(0).to_owned();
    let Change { state } = call.body()?;
    let now = api.shared.now();
    let unknown = || AdminError::UnknownName {
        kind: "pattern",
        name: fingerprint.clone(),
    };
    // What was counted a moment ago may not be written yet; it would be a regression at once.
    api.flush().await;
    let query = PatternQuery {
        range: Range::before(at(now.unix_millis() + MINUTE), 400 * DAY),
        fingerprint: Some(fingerprint.clone()),
        state: None,
    };
    let before = api
        .store
        .patterns(&query)
        .await?
        .pop()
        .ok_or_else(unknown)?
        .state;
    if !api
        .store
        .set_pattern_state(&fingerprint, state, call.actor_name(), now)
        .await?
    {
        return Err(unknown());
    }
    call.audit = Some(Audit {
        target: fingerprint.clone(),
        before: json!(before),
        after: json!(state),
    });
    Answer::json(&Changed {
        fingerprint,
        state,
        before,
    })
}

//! All questions.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use deadpool_postgres::Object;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::{signed, unsigned};
use crate::store::{
    CountPart, CountQuery, CountRow, Document, EventFilter, EventPage, EventQuery, GroupBy,
    JournalEntry, JournalPage, JournalQuery, PatternDetails, PatternQuery, PatternRow,
    PatternState, RequestQuery, RequestRow, Resolution, RouteCount, Series, StoreSize, StoredEvent,
};
use crate::time::Range;

type Result<T> = std::result::Result<T, Error>;

/// The table of a resolution.
pub(super) const fn table(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Minutes => "minutes",
        Resolution::Hours => "hours",
        Resolution::Days => "days",
    }
}

/// From when on there are counts by the minute; 0 where nothing was let go of yet.
async fn kept_from(connection: &Object, minutes: &str, hours: &str) -> Result<u64> {
    let sql = format!(
        "SELECT (SELECT min(start) FROM error_monitor.{minutes}), (SELECT min(start) FROM error_monitor.{hours})"
    );
    let row = connection
        .query_one(&connection.prepare_cached(&sql).await?, &[])
        .await?;
    let (minute, hour): (Option<i64>, Option<i64>) = (row.get(0), row.get(1));
    Ok(CountPart::minutes_from(
        minute.map(unsigned),
        hour.map(unsigned),
    ))
}

/// Conditions and their values, in the order of their numbers.
struct Conditions<'a> {
    sql: String,
    values: Vec<&'a (dyn ToSql + Sync)>,
}

impl<'a> Conditions<'a> {
    fn new() -> Self {
        Self {
            sql: String::new(),
            values: Vec::new(),
        }
    }

    fn and<T: ToSql + Sync>(&mut self, column: &str, comparison: &str, value: Option<&'a T>) {
        if let Some(value) = value {
            self.values.push(value);
            let joint = if self.sql.is_empty() { "WHERE" } else { " AND" };
            let number = self.values.len();
            let _ = write!(self.sql, "{joint} {column} {comparison} ${number}");
        }
    }

    /// Whether a text occurs in a column, its letters in either case.
    fn contains(&mut self, column: &str, text: Option<&'a String>) {
        if let Some(text) = text {
            self.values.push(text);
            let joint = if self.sql.is_empty() { "WHERE" } else { " AND" };
            let number = self.values.len();
            let _ = write!(
                self.sql,
                "{joint} position(lower(${number}) in lower({column})) > 0"
            );
        }
    }

    fn filter(&mut self, filter: &'a EventFilter, status: Option<&'a i32>) {
        self.and("s.code", "=", filter.code.as_ref());
        self.and("s.status", "=", status);
        self.and("s.service", "=", filter.service.as_ref());
        self.and("s.category", "=", filter.category.as_ref());
        self.and("s.route", "=", filter.route.as_ref());
        self.and("s.fingerprint", "=", filter.fingerprint.as_ref());
    }
}

pub(super) async fn counts(connection: &Object, query: &CountQuery) -> Result<Vec<CountRow>> {
    let kept = kept_from(connection, "minutes", "hours").await?;
    let status = query.filter.status.map(i32::from);
    let mut sums: BTreeMap<(String, u64), u64> = BTreeMap::new();
    for CountPart { resolution, range } in CountPart::of(query.range, query.step, kept) {
        let table = table(resolution);
        let (from, to) = (
            signed(range.from.unix_millis()),
            signed(range.to.unix_millis()),
        );
        let mut conditions = Conditions::new();
        conditions.and("t.start", ">=", Some(&from));
        conditions.and("t.start", "<", Some(&to));
        conditions.filter(&query.filter, status.as_ref());
        let start = match query.step {
            Some(step) => format!("t.start / {step} * {step}"),
            None => format!("{}::bigint", query.range.from.unix_millis()),
        };
        let sql = format!(
            "SELECT s.{}::text, {start} AS step, sum(t.count)::bigint FROM error_monitor.{table} t
             JOIN error_monitor.series s ON s.id = t.series {} GROUP BY 1, 2",
            query.group_by.as_str(),
            conditions.sql
        );
        for row in connection.query(&sql, &conditions.values).await? {
            *sums.entry((row.get(0), unsigned(row.get(1)))).or_default() += unsigned(row.get(2));
        }
    }
    let rows = sums.into_iter();
    Ok(rows
        .map(|((key, start), count)| CountRow {
            key: key.into(),
            start,
            count,
        })
        .collect())
}

pub(super) async fn requests(connection: &Object, query: &RequestQuery) -> Result<Vec<RequestRow>> {
    let kept = kept_from(connection, "request_minutes", "request_hours").await?;
    let mut sums: BTreeMap<(String, u64), [u64; 3]> = BTreeMap::new();
    for CountPart { resolution, range } in CountPart::of(query.range, query.step, kept) {
        let table = table(resolution);
        let (from, to) = (
            signed(range.from.unix_millis()),
            signed(range.to.unix_millis()),
        );
        let mut conditions = Conditions::new();
        conditions.and("start", ">=", Some(&from));
        conditions.and("start", "<", Some(&to));
        conditions.and("route", "=", query.route.as_ref());
        let start = match query.step {
            Some(step) => format!("start / {step} * {step}"),
            None => format!("{}::bigint", query.range.from.unix_millis()),
        };
        let route = if query.by_route { "route" } else { "''" };
        let sql = format!(
            "SELECT {route} AS name, {start} AS step, sum(total)::bigint, sum(client_errors)::bigint,
             sum(server_errors)::bigint FROM error_monitor.request_{table} {} GROUP BY 1, 2",
            conditions.sql
        );
        for row in connection.query(&sql, &conditions.values).await? {
            let sum = sums.entry((row.get(0), unsigned(row.get(1)))).or_default();
            for (place, sum) in sum.iter_mut().enumerate() {
                *sum += unsigned(row.get(place + 2));
            }
        }
    }
    let rows = sums
        .into_iter()
        .map(
            |((route, start), [total, client_errors, server_errors])| RequestRow {
                route,
                start,
                total,
                client_errors,
                server_errors,
            },
        );
    Ok(rows.collect())
}

pub(super) async fn patterns(connection: &Object, query: &PatternQuery) -> Result<Vec<PatternRow>> {
    let count = |range: Range| CountQuery {
        range,
        group_by: GroupBy::Fingerprint,
        step: None,
        filter: EventFilter {
            fingerprint: query.fingerprint.clone(),
            ..EventFilter::default()
        },
    };
    let now = counts(connection, &count(query.range)).await?;
    let before = counts(connection, &count(query.range.previous())).await?;
    let before: BTreeMap<_, _> = before.into_iter().map(|row| (row.key, row.count)).collect();
    let fingerprints: Vec<&str> = now.iter().map(|row| &*row.key).collect();
    let state = query.state.map(PatternState::as_str);
    let rows = connection
        .query(
            "SELECT fingerprint, domain, code, category, status, level, message, display, first_seen,
             last_seen, total, state, changed, changed_by, regressed FROM error_monitor.patterns
             WHERE fingerprint = ANY($1) AND ($2::text IS NULL OR state = $2)",
            &[&fingerprints, &state],
        )
        .await?;
    let now: BTreeMap<_, _> = now.iter().map(|row| (&*row.key, row.count)).collect();
    let found = rows.iter().map(pattern).map(|row| PatternRow {
        count: now.get(row.fingerprint.as_str()).copied().unwrap_or(0),
        previous: before.get(&*row.fingerprint).copied().unwrap_or(0),
        ..row
    });
    Ok(found.collect())
}

fn pattern(row: &Row) -> PatternRow {
    let changed: Option<i64> = row.get(12);
    let by: Option<String> = row.get(13);
    let regressed: Option<i64> = row.get(14);
    PatternRow {
        fingerprint: row.get(0),
        domain: row.get(1),
        code: row.get(2),
        category: row.get(3),
        status: status(row.get(4)),
        level: row.get(5),
        message: row.get(6),
        display: row.get(7),
        first_seen: unsigned(row.get(8)),
        last_seen: unsigned(row.get(9)),
        total: unsigned(row.get(10)),
        count: 0,
        previous: 0,
        state: PatternState::named(row.get(11)),
        changed: changed.map(|at| (unsigned(at), by.unwrap_or_default())),
        regressed: regressed.map(unsigned),
    }
}

fn status(status: i32) -> u16 {
    u16::try_from(status).unwrap_or(0)
}

pub(super) async fn pattern_details(
    connection: &Object,
    fingerprints: &[String],
    range: Range,
) -> Result<Vec<PatternDetails>> {
    let kept = kept_from(connection, "minutes", "hours").await?;
    let mut routes: BTreeMap<(String, String), u64> = BTreeMap::new();
    for CountPart { resolution, range } in CountPart::of(range, None, kept) {
        let (from, to) = (
            signed(range.from.unix_millis()),
            signed(range.to.unix_millis()),
        );
        let sql = format!(
            "SELECT s.fingerprint, s.route, sum(t.count)::bigint FROM error_monitor.{} t
             JOIN error_monitor.series s ON s.id = t.series
             WHERE t.start >= $1 AND t.start < $2 AND s.fingerprint = ANY($3) GROUP BY 1, 2",
            table(resolution)
        );
        for row in connection.query(&sql, &[&from, &to, &fingerprints]).await? {
            *routes.entry((row.get(0), row.get(1))).or_default() += unsigned(row.get(2));
        }
    }
    let rows = connection
        .query(
            "SELECT f.fingerprint, e.request_id FROM unnest($1::text[]) AS f (fingerprint)
             CROSS JOIN LATERAL (SELECT request_id, id FROM error_monitor.events
                 WHERE fingerprint = f.fingerprint AND request_id IS NOT NULL ORDER BY id DESC LIMIT 5) e
             ORDER BY f.fingerprint, e.id DESC",
            &[&fingerprints],
        )
        .await?;
    let mut all: BTreeMap<&str, PatternDetails> = BTreeMap::new();
    for ((fingerprint, route), count) in &routes {
        let (route, count) = (route.clone(), *count);
        all.entry(fingerprint)
            .or_default()
            .routes
            .push(RouteCount { route, count });
    }
    for row in &rows {
        all.entry(row.get(0))
            .or_default()
            .request_ids
            .push(row.get(1));
    }
    let details = |fingerprint: &String| {
        let mut details = all.remove(fingerprint.as_str()).unwrap_or_default();
        // By route already: those of one number stay so.
        details
            .routes
            .sort_by_key(|route| std::cmp::Reverse(route.count));
        details
    };
    Ok(fingerprints.iter().map(details).collect())
}

/// How many failures are looked through for one page; see the store in a file.
const LOOKED_THROUGH: i64 = 20_000;

pub(super) async fn events(connection: &Object, query: &EventQuery) -> Result<EventPage> {
    let [least, most] = match query.range {
        Some(range) => [
            StoredEvent::first_id(range.from),
            StoredEvent::first_id(range.to),
        ],
        None => [0, u64::MAX],
    };
    let (least, before) = (
        signed(least),
        signed(query.before.unwrap_or(u64::MAX).min(most)),
    );
    let status = query.filter.status.map(i32::from);
    let mut within = Conditions::new();
    within.and("id", ">=", Some(&least));
    within.and("id", "<", Some(&before));
    within.and("request_id", "=", query.request_id.as_ref());
    within.and("user_id", "=", query.user.as_ref());
    within.and("fingerprint", "=", query.filter.fingerprint.as_ref());
    let inner = within.sql.clone();
    let bounds = within.values.len();
    let mut narrowed = Conditions {
        sql: String::new(),
        values: within.values,
    };
    narrowed.filter(&query.filter, status.as_ref());
    // Fields are kept apart, so that no text is found across two of them.
    narrowed.contains(
        "concat_ws(chr(10), e.message, e.display, s.code, s.route, e.request_id, e.user_id)",
        query.text.as_ref(),
    );
    let sql = format!(
        "SELECT e.*, s.fingerprint AS kind, s.domain, s.code, s.status, s.route, s.service, s.category
         FROM (SELECT * FROM error_monitor.events {inner} ORDER BY id DESC LIMIT {LOOKED_THROUGH}) e
         JOIN error_monitor.series s ON s.id = e.series {} ORDER BY e.id DESC LIMIT {}",
        narrowed.sql,
        query.limit + 1
    );
    let rows = connection.query(&sql, &narrowed.values).await?;
    let mut events: Vec<_> = rows.iter().map(event).collect();
    if events.len() > query.limit {
        events.truncate(query.limit);
        let next = events.last().map(|(event, _)| event.id);
        return Ok(EventPage { events, next });
    }
    let sql = format!(
        "SELECT id FROM error_monitor.events {inner} ORDER BY id DESC LIMIT 1 OFFSET {}",
        LOOKED_THROUGH - 1
    );
    let beyond = connection
        .query_opt(&sql, &narrowed.values[..bounds])
        .await?;
    Ok(EventPage {
        events,
        next: beyond.map(|row| unsigned(row.get(0))),
    })
}

fn event(row: &Row) -> (StoredEvent, String) {
    let id = unsigned(row.get("id"));
    let chain: Option<String> = row.get("chain");
    let attempts: Option<i64> = row.get("attempts");
    let event = StoredEvent {
        id,
        time: StoredEvent::time_of(id).unix_millis(),
        series: Arc::new(Series {
            fingerprint: row.get("kind"),
            domain: row.get("domain"),
            code: row.get("code"),
            status: status(row.get("status")),
            route: row.get("route"),
            service: row.get("service"),
            category: row.get("category"),
        }),
        level: row.get("level"),
        origin: row.get("origin"),
        message: row.get("message"),
        display: row.get("display"),
        chain: chain
            .and_then(|chain| serde_json::from_str(&chain).ok())
            .unwrap_or_default(),
        details: row.get("details"),
        backtrace: row.get("backtrace"),
        request_id: row.get("request_id"),
        trace_id: row.get("trace_id"),
        method: row.get("method"),
        user: row.get("user_id"),
        operation: row.get("operation"),
        attempts: attempts.and_then(|attempts| u32::try_from(attempts).ok()),
    };
    (event, row.get("instance"))
}

pub(super) async fn journal(connection: &Object, query: &JournalQuery) -> Result<JournalPage> {
    let before = signed(query.before.unwrap_or(u64::MAX));
    let limit = signed(query.limit as u64 + 1);
    let rows = connection
        .query(
            "SELECT id, instance, subject, body FROM error_monitor.journal
             WHERE kind = $1 AND ($2::text IS NULL OR subject = $2) AND id < $3 ORDER BY id DESC LIMIT $4",
            &[&query.kind.as_str(), &query.subject, &before, &limit],
        )
        .await?;
    let mut entries: Vec<_> = rows
        .iter()
        .map(|row| {
            let entry = JournalEntry {
                id: unsigned(row.get(0)),
                kind: query.kind,
                subject: row.get(2),
                body: serde_json::from_str(row.get(3)).unwrap_or_default(),
            };
            (entry, row.get(1))
        })
        .collect();
    let more = entries.len() > query.limit;
    entries.truncate(query.limit);
    let next = more
        .then(|| entries.last().map(|(entry, _)| entry.id))
        .flatten();
    Ok(JournalPage { entries, next })
}

pub(super) async fn documents(connection: &Object, kind: &str) -> Result<Vec<Document>> {
    let rows = connection
        .query(
            "SELECT id, version, updated, body FROM error_monitor.documents WHERE kind = $1 ORDER BY id",
            &[&kind],
        )
        .await?;
    let document = |row: &Row| Document {
        id: row.get(0),
        version: unsigned(row.get(1)),
        updated: unsigned(row.get(2)),
        body: serde_json::from_str(row.get(3)).unwrap_or_default(),
    };
    Ok(rows.iter().map(document).collect())
}

pub(super) async fn size(connection: &Object) -> Result<StoreSize> {
    let row = connection
        .query_one(
            "SELECT (SELECT count(*) FROM error_monitor.events),
             (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
              JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname = 'error_monitor' AND c.relkind = 'r')",
            &[],
        )
        .await?;
    Ok(StoreSize {
        events: unsigned(row.get(0)),
        bytes: unsigned(row.get(1)),
    })
}

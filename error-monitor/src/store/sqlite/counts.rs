//! Questions about counts: how often what failed, how many requests there were, which kinds of failures.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{signed, unsigned};
use crate::store::{
    CountPart, CountQuery, CountRow, EventFilter, GroupBy, PatternDetails, PatternQuery,
    PatternRow, PatternState, RequestQuery, RequestRow, Resolution, RouteCount, Series,
};
use crate::time::{Range, floor};

/// The table of a resolution.
pub(super) const fn table(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Minutes => "minutes",
        Resolution::Hours => "hours",
        Resolution::Days => "days",
    }
}

/// From when on there are counts by the minute; 0 where nothing was let go of yet, as counts by the hour do not
/// begin before those.
fn kept_from(connection: &Connection, minutes: &str, hours: &str) -> rusqlite::Result<u64> {
    let first = |table: &str| -> rusqlite::Result<Option<u64>> {
        let sql = format!("SELECT start FROM {table} ORDER BY start LIMIT 1");
        let first = connection
            .prepare_cached(&sql)?
            .query_row([], |row| row.get(0))
            .optional()?;
        Ok(first.map(unsigned))
    };
    Ok(CountPart::minutes_from(first(minutes)?, first(hours)?))
}

fn ends(range: Range) -> [i64; 2] {
    [
        signed(range.from.unix_millis()),
        signed(range.to.unix_millis()),
    ]
}

/// The groups, and in which of them each series is, if any. Numbers of series are small: they count up from one.
struct Groups {
    keys: Vec<String>,
    of: Vec<Option<usize>>,
}

impl Groups {
    fn of(&self, series: i64) -> Option<usize> {
        self.of
            .get(usize::try_from(series).ok()?)
            .copied()
            .flatten()
    }
}

fn groups(connection: &Connection, by: GroupBy, filter: &EventFilter) -> rusqlite::Result<Groups> {
    let mut keys = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut of = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT id, fingerprint, domain, code, status, route, service, category FROM series",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let series = series_at(row, 1)?;
        if !passes(filter, &series) {
            continue;
        }
        let key = match by {
            GroupBy::Code => series.code,
            GroupBy::Service => series.service,
            GroupBy::Status => series.status.to_string(),
            GroupBy::Route => series.route,
            GroupBy::Category => series.category,
            GroupBy::Fingerprint => series.fingerprint,
        };
        let place = *places.entry(key).or_insert_with_key(|key| {
            keys.push(key.clone());
            keys.len() - 1
        });
        let series = usize::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
        if of.len() <= series {
            of.resize(series + 1, None);
        }
        of[series] = Some(place);
    }
    Ok(Groups { keys, of })
}

fn passes(filter: &EventFilter, series: &Series) -> bool {
    fn is<T: PartialEq + ?Sized>(wanted: Option<&T>, found: &T) -> bool {
        wanted.is_none_or(|wanted| wanted == found)
    }
    is(filter.code.as_deref(), &series.code)
        && is(filter.status.as_ref(), &series.status)
        && is(filter.service.as_deref(), &series.service)
        && is(filter.category.as_deref(), &series.category)
        && is(filter.route.as_deref(), &series.route)
        && is(filter.fingerprint.as_deref(), &series.fingerprint)
}

pub(super) fn series_at(row: &Row<'_>, first: usize) -> rusqlite::Result<Series> {
    Ok(Series {
        fingerprint: row.get(first)?,
        domain: row.get(first + 1)?,
        code: row.get(first + 2)?,
        status: row.get(first + 3)?,
        route: row.get(first + 4)?,
        service: row.get(first + 5)?,
        category: row.get(first + 6)?,
    })
}

/// Calls `add` with start, series and count of each row of a range, in the order of time.
fn each_count(
    connection: &Connection,
    range: Range,
    step: Option<u64>,
    mut add: impl FnMut(u64, i64, u64),
) -> rusqlite::Result<()> {
    let kept = kept_from(connection, "minutes", "hours")?;
    for CountPart { resolution, range } in CountPart::of(range, step, kept) {
        let table = table(resolution);
        // Where steps do not matter, SQLite sums up: fewer rows come out.
        let sql = if step.is_none() {
            format!(
                "SELECT min(start), series, sum(count) FROM {table} WHERE start >= ?1 AND start < ?2
                 GROUP BY series"
            )
        } else {
            format!(
                "SELECT start, series, count FROM {table} WHERE start >= ?1 AND start < ?2
                 ORDER BY start, series"
            )
        };
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(ends(range))?;
        while let Some(row) = rows.next()? {
            add(unsigned(row.get(0)?), row.get(1)?, unsigned(row.get(2)?));
        }
    }
    Ok(())
}

fn start_of(time: u64, range: Range, step: Option<u64>) -> u64 {
    step.map_or(range.from.unix_millis(), |step| floor(time, step))
}

pub(super) fn counts(
    connection: &Connection,
    query: &CountQuery,
) -> rusqlite::Result<Vec<CountRow>> {
    let groups = groups(connection, query.group_by, &query.filter)?;
    // Rows come in the order of time: of each group the last step is the one to add to, or a new one follows.
    let mut steps: Vec<Vec<(u64, u64)>> = vec![Vec::new(); groups.keys.len()];
    each_count(
        connection,
        query.range,
        query.step,
        |time, series, count| {
            if let Some(place) = groups.of(series) {
                let start = start_of(time, query.range, query.step);
                match steps[place].last_mut() {
                    Some(last) if last.0 == start => last.1 += count,
                    _ => steps[place].push((start, count)),
                }
            }
        },
    )?;
    let mut by_key: Vec<_> = groups.keys.into_iter().zip(steps).collect();
    by_key.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut all = Vec::new();
    for (key, steps) in by_key {
        let key: Arc<str> = key.into();
        let rows = steps.into_iter();
        all.extend(rows.map(|(start, count)| CountRow {
            key: Arc::clone(&key),
            start,
            count,
        }));
    }
    Ok(all)
}

pub(super) fn requests(
    connection: &Connection,
    query: &RequestQuery,
) -> rusqlite::Result<Vec<RequestRow>> {
    let kept = kept_from(connection, "request_minutes", "request_hours")?;
    let mut sums: HashMap<(String, u64), [u64; 3]> = HashMap::new();
    for CountPart { resolution, range } in CountPart::of(query.range, query.step, kept) {
        let sql = format!(
            "SELECT start, route, total, client_errors, server_errors FROM request_{}
             WHERE start >= ?1 AND start < ?2 AND (?3 IS NULL OR route = ?3)",
            table(resolution)
        );
        let [from, to] = ends(range);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![from, to, query.route])?;
        while let Some(row) = rows.next()? {
            let start = start_of(unsigned(row.get(0)?), query.range, query.step);
            let route = if query.by_route {
                row.get(1)?
            } else {
                String::new()
            };
            let sum = sums.entry((route, start)).or_default();
            for (place, column) in [2, 3, 4].into_iter().enumerate() {
                sum[place] += unsigned(row.get(column)?);
            }
        }
    }
    let mut rows: Vec<_> = sums
        .into_iter()
        .map(
            |((route, start), [total, client_errors, server_errors])| RequestRow {
                route,
                start,
                total,
                client_errors,
                server_errors,
            },
        )
        .collect();
    rows.sort_unstable();
    Ok(rows)
}

/// How often each kind of failure was met in a range.
fn by_fingerprint(
    connection: &Connection,
    range: Range,
    groups: &Groups,
) -> rusqlite::Result<HashMap<usize, u64>> {
    let mut sums: HashMap<usize, u64> = HashMap::new();
    each_count(connection, range, None, |_, series, count| {
        if let Some(place) = groups.of(series) {
            *sums.entry(place).or_default() += count;
        }
    })?;
    Ok(sums)
}

pub(super) fn patterns(
    connection: &Connection,
    query: &PatternQuery,
) -> rusqlite::Result<Vec<PatternRow>> {
    let filter = EventFilter {
        fingerprint: query.fingerprint.clone(),
        ..EventFilter::default()
    };
    let groups = groups(connection, GroupBy::Fingerprint, &filter)?;
    let now = by_fingerprint(connection, query.range, &groups)?;
    let before = by_fingerprint(connection, query.range.previous(), &groups)?;
    let mut found = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT fingerprint, domain, code, category, status, level, message, display, first_seen,
         last_seen, total, state, changed, changed_by, regressed FROM patterns
         WHERE fingerprint = ?1 AND (?2 IS NULL OR state = ?2)",
    )?;
    for (place, count) in now {
        let state = query.state.map(PatternState::as_str);
        let row = statement
            .query_row(params![groups.keys[place], state], pattern)
            .optional()?;
        if let Some(row) = row {
            let previous = before.get(&place).copied().unwrap_or(0);
            found.push(PatternRow {
                count,
                previous,
                ..row
            });
        }
    }
    Ok(found)
}

fn pattern(row: &Row<'_>) -> rusqlite::Result<PatternRow> {
    let changed: Option<i64> = row.get(12)?;
    let by: Option<String> = row.get(13)?;
    let regressed: Option<i64> = row.get(14)?;
    Ok(PatternRow {
        fingerprint: row.get(0)?,
        domain: row.get(1)?,
        code: row.get(2)?,
        category: row.get(3)?,
        status: row.get(4)?,
        level: row.get(5)?,
        message: row.get(6)?,
        display: row.get(7)?,
        first_seen: unsigned(row.get(8)?),
        last_seen: unsigned(row.get(9)?),
        total: unsigned(row.get(10)?),
        count: 0,
        previous: 0,
        state: PatternState::named(&row.get::<_, String>(11)?),
        changed: changed.map(|at| (unsigned(at), by.unwrap_or_default())),
        regressed: regressed.map(unsigned),
    })
}

pub(super) fn pattern_details(
    connection: &Connection,
    fingerprints: &[String],
    range: Range,
) -> rusqlite::Result<Vec<PatternDetails>> {
    // All of them in one reading.
    let wanted: HashMap<&str, usize> = fingerprints
        .iter()
        .enumerate()
        .map(|(place, name)| (name.as_str(), place))
        .collect();
    let mut of: HashMap<i64, (usize, String)> = HashMap::new();
    let mut statement = connection.prepare_cached("SELECT id, fingerprint, route FROM series")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let fingerprint: String = row.get(1)?;
        if let Some(place) = wanted.get(&*fingerprint) {
            of.insert(row.get(0)?, (*place, row.get(2)?));
        }
    }
    let mut routes: Vec<HashMap<&str, u64>> = vec![HashMap::new(); fingerprints.len()];
    each_count(connection, range, None, |_, series, count| {
        if let Some((place, route)) = of.get(&series) {
            *routes[*place].entry(route).or_default() += count;
        }
    })?;
    let mut all = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT request_id FROM events WHERE fingerprint = ?1 AND request_id IS NOT NULL
         ORDER BY id DESC LIMIT 5",
    )?;
    for (fingerprint, counts) in fingerprints.iter().zip(routes) {
        let counts = counts.into_iter();
        let mut routes: Vec<_> = counts
            .map(|(route, count)| RouteCount {
                route: route.to_owned(),
                count,
            })
            .collect();
        routes.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.route.cmp(&b.route)));
        let request_ids = statement
            .query_map([fingerprint], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        all.push(PatternDetails {
            routes,
            request_ids,
        });
    }
    Ok(all)
}

//! All that changes the file but for what is let go of. Each change is one transaction, begun as a writer's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use error_runtime::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{counts, signed};
use crate::store::{
    Batch, CountDelta, Document, PatternState, RequestDelta, Resolution, Series, StoredEvent,
};
use crate::time::floor;

/// What the thread that writes knows of its file, so that it need not ask: the numbers of series.
#[derive(Default)]
pub(super) struct Known {
    series: HashMap<Arc<Series>, i64>,
    /// As SQLite numbers the changes of others: what they let go of is not known any more.
    version: i64,
}

impl Known {
    pub(super) fn forget(&mut self) {
        self.series.clear();
    }
}

/// Beyond that the numbers are asked for again.
const MAX_KNOWN: usize = 50_000;

fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

pub(super) fn batch(
    connection: &mut Connection,
    known: &mut Known,
    batch: &Batch,
) -> rusqlite::Result<()> {
    if known.series.len() > MAX_KNOWN {
        known.forget();
    }
    let transaction = begin(connection)?;
    let version = transaction
        .prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))?;
    if known.version != version {
        known.forget();
        known.version = version;
    }
    if !is_new(&transaction, batch)? {
        return Ok(());
    }
    for count in &batch.counts {
        write_count(&transaction, known, count)?;
    }
    for requests in &batch.requests {
        write_requests(&transaction, requests)?;
    }
    for event in &batch.events {
        write_event(&transaction, known, event, &batch.instance)?;
    }
    write_patterns(&transaction, batch)?;
    let mut journal = transaction.prepare_cached(
        "INSERT OR IGNORE INTO journal (kind, id, instance, subject, body) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for entry in &batch.journal {
        let body = entry.body.to_string();
        unlike_any(entry.id, |id| {
            journal.execute(params![
                entry.kind.as_str(),
                signed(id),
                &*batch.instance,
                entry.subject,
                body
            ])
        })?;
    }
    drop(journal);
    transaction.commit()
}

fn is_new(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<bool> {
    let changed = transaction
        .prepare_cached(
            "INSERT INTO writers (instance, number, seen) VALUES (?1, ?2, ?3)
             ON CONFLICT (instance) DO UPDATE SET number = excluded.number, seen = excluded.seen
             WHERE excluded.number > number",
        )?
        .execute(params![
            &*batch.instance,
            signed(batch.number),
            signed(batch.sealed)
        ])?;
    Ok(changed == 1)
}

fn series_id(
    transaction: &Transaction<'_>,
    known: &mut Known,
    series: &Arc<Series>,
) -> rusqlite::Result<i64> {
    if let Some(id) = known.series.get(series) {
        return Ok(*id);
    }
    let key = params![
        series.fingerprint,
        series.domain,
        series.code,
        series.status,
        series.route,
        series.service,
        series.category
    ];
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO series (fingerprint, domain, code, status, route, service, category)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(key)?;
    let id = transaction
        .prepare_cached(
            "SELECT id FROM series WHERE fingerprint = ?1 AND domain = ?2 AND code = ?3
             AND status = ?4 AND route = ?5 AND service = ?6 AND category = ?7",
        )?
        .query_row(key, |row| row.get(0))?;
    // If the transaction fails, all that is known is forgotten.
    known.series.insert(Arc::clone(series), id);
    Ok(id)
}

fn write_count(
    transaction: &Transaction<'_>,
    known: &mut Known,
    delta: &CountDelta,
) -> rusqlite::Result<()> {
    let series = series_id(transaction, known, &delta.series)?;
    for (resolution, table) in tables() {
        let sql = format!(
            "INSERT INTO {table} (start, series, count) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET count = count + excluded.count"
        );
        let start = signed(floor(delta.minute, resolution.millis()));
        transaction
            .prepare_cached(&sql)?
            .execute(params![start, series, signed(delta.count)])?;
    }
    Ok(())
}

/// The tables of counts.
fn tables() -> impl Iterator<Item = (Resolution, &'static str)> {
    Resolution::ALL
        .into_iter()
        .map(|resolution| (resolution, counts::table(resolution)))
}

fn write_requests(transaction: &Transaction<'_>, delta: &RequestDelta) -> rusqlite::Result<()> {
    for (resolution, table) in tables() {
        let sql = format!(
            "INSERT INTO request_{table} (start, route, total, client_errors, server_errors)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET total = total + excluded.total,
             client_errors = client_errors + excluded.client_errors,
             server_errors = server_errors + excluded.server_errors"
        );
        transaction.prepare_cached(&sql)?.execute(params![
            signed(floor(delta.minute, resolution.millis())),
            &*delta.route,
            signed(delta.total),
            signed(delta.client_errors),
            signed(delta.server_errors)
        ])?;
    }
    Ok(())
}

fn write_event(
    transaction: &Transaction<'_>,
    known: &mut Known,
    event: &StoredEvent,
    instance: &str,
) -> rusqlite::Result<()> {
    let series = series_id(transaction, known, &event.series)?;
    let chain = match event.chain.as_slice() {
        [] => None,
        chain => serde_json::to_string(chain).ok(),
    };
    let mut statement = transaction.prepare_cached(
        "INSERT OR IGNORE INTO events (id, series, fingerprint, instance, level, origin, message,
         display, chain, details, backtrace, request_id, trace_id, method, user, operation, attempts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?;
    unlike_any(event.id, |id| {
        statement.execute(params![
            signed(id),
            series,
            event.series.fingerprint,
            instance,
            event.level,
            event.origin,
            event.message,
            event.display,
            chain,
            event.details,
            event.backtrace,
            event.request_id,
            event.trace_id,
            event.method,
            event.user,
            event.operation,
            event.attempts
        ])
    })
}

/// Writes a row by this id, or the next that nobody has: another process may have had the same number in the same
/// millisecond, and pages begin where an id is.
fn unlike_any(
    id: u64,
    mut write: impl FnMut(u64) -> rusqlite::Result<usize>,
) -> rusqlite::Result<()> {
    for id in id.. {
        if write(id)? == 1 {
            break;
        }
    }
    Ok(())
}

fn write_patterns(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<()> {
    // A resolved kind that is met again is open, and has regressed.
    let mut statement = transaction.prepare_cached(
        "INSERT INTO patterns (fingerprint, domain, code, category, status, level, message, display,
             first_seen, last_seen, total)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT DO UPDATE SET
             regressed = CASE WHEN state = 'resolved' AND excluded.last_seen > changed
                 THEN excluded.last_seen ELSE regressed END,
             state = CASE WHEN state = 'resolved' AND excluded.last_seen > changed
                 THEN 'open' ELSE state END,
             status = excluded.status,
             level = CASE excluded.level WHEN '' THEN level ELSE excluded.level END,
             message = CASE excluded.level WHEN '' THEN message ELSE excluded.message END,
             display = CASE excluded.level WHEN '' THEN display ELSE excluded.display END,
             first_seen = min(first_seen, excluded.first_seen),
             last_seen = max(last_seen, excluded.last_seen),
             total = total + excluded.total",
    )?;
    for seen in batch.kinds() {
        statement.execute(params![
            seen.series.fingerprint,
            seen.series.domain,
            seen.series.code,
            seen.series.category,
            seen.series.status,
            seen.text(|event| &event.level),
            seen.text(|event| &event.message),
            seen.text(|event| &event.display),
            signed(seen.first),
            signed(seen.last),
            signed(seen.count)
        ])?;
    }
    Ok(())
}

pub(super) fn pattern_state(
    connection: &mut Connection,
    fingerprint: &str,
    state: PatternState,
    by: &str,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    let changed = connection
        .prepare_cached(
            "UPDATE patterns SET state = ?2, changed = ?3, changed_by = ?4,
             regressed = CASE ?2 WHEN 'open' THEN regressed END WHERE fingerprint = ?1",
        )?
        .execute(params![
            fingerprint,
            state.as_str(),
            signed(at.unix_millis()),
            by
        ])?;
    Ok(changed == 1)
}

pub(super) fn put_document(
    connection: &mut Connection,
    kind: &str,
    document: &Document,
) -> rusqlite::Result<Option<u64>> {
    let body = document.body.to_string();
    let (version, updated) = (signed(document.version), signed(document.updated));
    let changed = if document.version == 0 {
        connection
            .prepare_cached(
                "INSERT OR IGNORE INTO documents (kind, id, version, updated, body)
                 VALUES (?1, ?2, 1, ?3, ?4)",
            )?
            .execute(params![kind, document.id, updated, body])?
    } else {
        connection
            .prepare_cached(
                "UPDATE documents SET version = version + 1, updated = ?4, body = ?5
                 WHERE kind = ?1 AND id = ?2 AND version = ?3",
            )?
            .execute(params![kind, document.id, version, updated, body])?
    };
    Ok((changed == 1).then(|| document.version + 1))
}

pub(super) fn delete_document(
    connection: &mut Connection,
    kind: &str,
    id: &str,
) -> rusqlite::Result<bool> {
    let gone = connection
        .prepare_cached("DELETE FROM documents WHERE kind = ?1 AND id = ?2")?
        .execute(params![kind, id])?;
    Ok(gone == 1)
}

/// Several processes may share a file: who leads is a document that expires.
pub(super) fn lead(
    connection: &mut Connection,
    instance: &str,
    lease: Duration,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let now = now.unix_millis();
    let until = now.saturating_add(u64::try_from(lease.as_millis()).unwrap_or(u64::MAX));
    let changed = connection
        .prepare_cached(
            "INSERT INTO documents (kind, id, version, updated, body) VALUES ('lease', 'leader', ?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET version = excluded.version, updated = excluded.updated, body = excluded.body
             WHERE body = excluded.body OR version <= excluded.updated
             -- One that ends much later was taken by a clock that was put back since.
             OR version > excluded.version + 600000",
        )?
        .execute(params![signed(until), signed(now), instance])?;
    Ok(changed == 1)
}

/// Whether it could be written: a transaction that changes nothing.
pub(super) fn ping(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = begin(connection)?;
    let _: Option<i64> = transaction
        .query_row("SELECT 1 FROM writers LIMIT 1", [], |row| row.get(0))
        .optional()?;
    transaction.rollback()
}

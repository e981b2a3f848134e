//! Questions about single things: failures, the journal, documents, and how much there is.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::counts::series_at;
use super::{signed, unsigned};
use crate::store::{
    Document, EventPage, EventQuery, JournalEntry, JournalPage, JournalQuery, StoreSize,
    StoredEvent,
};

/// How many failures are looked through for one page. A question that few answer takes several pages,
/// each of which costs little.
const LOOKED_THROUGH: usize = 20_000;

pub(super) fn events(connection: &Connection, query: &EventQuery) -> rusqlite::Result<EventPage> {
    let [least, most] = match query.range {
        Some(range) => [
            StoredEvent::first_id(range.from),
            StoredEvent::first_id(range.to),
        ],
        None => [0, u64::MAX],
    };
    let before = query.before.unwrap_or(u64::MAX).min(most);
    // What is outermost decides the index; the rest is looked through.
    let mut within = "id >= ? AND id < ?".to_owned();
    let mut values: Vec<Value> = vec![signed(least).into(), signed(before).into()];
    for (column, wanted) in [
        ("request_id", &query.request_id),
        ("user", &query.user),
        ("fingerprint", &query.filter.fingerprint),
    ] {
        if let Some(wanted) = wanted {
            within.push_str(" AND ");
            within.push_str(column);
            within.push_str(" = ?");
            values.push(wanted.clone().into());
        }
    }
    let filter = &query.filter;
    let mut narrowed = String::new();
    let mut narrow = |column: &str, value: Option<Value>| {
        if let Some(value) = value {
            narrowed.push_str(if narrowed.is_empty() {
                " WHERE "
            } else {
                " AND "
            });
            narrowed.push_str(column);
            narrowed.push_str(" = ?");
            values.push(value);
        }
    };
    narrow("s.code", filter.code.clone().map(Value::from));
    narrow(
        "s.status",
        filter.status.map(|status| Value::from(i64::from(status))),
    );
    narrow("s.service", filter.service.clone().map(Value::from));
    narrow("s.category", filter.category.clone().map(Value::from));
    narrow("s.route", filter.route.clone().map(Value::from));
    if let Some(text) = &query.text {
        narrowed.push_str(if narrowed.is_empty() {
            " WHERE "
        } else {
            " AND "
        });
        // Fields are kept apart, so that no text is found across two of them.
        narrowed.push_str(
            "instr(lower(e.message || char(10) || e.display || char(10) || s.code || char(10) || s.route
                || char(10) || coalesce(e.request_id, '') || char(10) || coalesce(e.user, '')), lower(?)) > 0",
        );
        values.push(text.clone().into());
    }
    // Unary plus keeps SQLite from going by the series first, which would lose the order.
    let sql = format!(
        "SELECT e.id, e.instance, e.level, e.origin, e.message, e.display, e.chain, e.details,
             e.backtrace, e.request_id, e.trace_id, e.method, e.user, e.operation, e.attempts,
             s.fingerprint, s.domain, s.code, s.status, s.route, s.service, s.category
         FROM (SELECT * FROM events WHERE {within} ORDER BY id DESC LIMIT {LOOKED_THROUGH}) e
         CROSS JOIN series s ON s.id = e.series{narrowed} LIMIT ?"
    );
    values.push(signed(query.limit as u64 + 1).into());
    let mut statement = connection.prepare_cached(&sql)?;
    let mut events = statement
        .query_map(params_from_iter(values.iter()), event)?
        .collect::<Result<Vec<_>, _>>()?;
    if events.len() > query.limit {
        events.truncate(query.limit);
        let next = events.last().map(|(event, _)| event.id);
        return Ok(EventPage { events, next });
    }
    // Nothing more in what was looked through; there may be more beyond it.
    let bounds = values.len() - 1 - narrowed.matches('?').count();
    let beyond: Option<i64> = connection
        .prepare_cached(&format!(
            "SELECT id FROM events WHERE {within} ORDER BY id DESC LIMIT 1 OFFSET {LOOKED_THROUGH} - 1"
        ))?
        .query_row(params_from_iter(values[..bounds].iter()), |row| row.get(0))
        .optional()?;
    Ok(EventPage {
        events,
        next: beyond.map(unsigned),
    })
}

fn event(row: &Row<'_>) -> rusqlite::Result<(StoredEvent, String)> {
    let id = unsigned(row.get(0)?);
    let chain: Option<String> = row.get(6)?;
    let event = StoredEvent {
        id,
        time: StoredEvent::time_of(id).unix_millis(),
        series: Arc::new(series_at(row, 15)?),
        level: row.get(2)?,
        origin: row.get(3)?,
        message: row.get(4)?,
        display: row.get(5)?,
        chain: chain
            .and_then(|chain| serde_json::from_str(&chain).ok())
            .unwrap_or_default(),
        details: row.get(7)?,
        backtrace: row.get(8)?,
        request_id: row.get(9)?,
        trace_id: row.get(10)?,
        method: row.get(11)?,
        user: row.get(12)?,
        operation: row.get(13)?,
        attempts: row.get(14)?,
    };
    Ok((event, row.get(1)?))
}

pub(super) fn journal(
    connection: &Connection,
    query: &JournalQuery,
) -> rusqlite::Result<JournalPage> {
    let sql = match query.subject {
        None => {
            "SELECT id, instance, subject, body FROM journal
                 WHERE kind = ?1 AND ?2 IS NULL AND id < ?3 ORDER BY id DESC LIMIT ?4"
        }
        Some(_) => {
            "SELECT id, instance, subject, body FROM journal
                    WHERE kind = ?1 AND subject = ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4"
        }
    };
    let mut statement = connection.prepare_cached(sql)?;
    let before = signed(query.before.unwrap_or(u64::MAX));
    let limit = signed(query.limit as u64 + 1);
    let entry = |row: &Row<'_>| {
        let body: String = row.get(3)?;
        let entry = JournalEntry {
            id: unsigned(row.get(0)?),
            kind: query.kind,
            subject: row.get(2)?,
            body: serde_json::from_str(&body).unwrap_or_default(),
        };
        Ok((entry, row.get(1)?))
    };
    let mut entries = statement
        .query_map(
            params![query.kind.as_str(), query.subject, before, limit],
            entry,
        )?
        .collect::<Result<Vec<_>, _>>()?;
    let more = entries.len() > query.limit;
    entries.truncate(query.limit);
    let next = more
        .then(|| entries.last().map(|(entry, _)| entry.id))
        .flatten();
    Ok(JournalPage { entries, next })
}

pub(super) fn documents(connection: &Connection, kind: &str) -> rusqlite::Result<Vec<Document>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, version, updated, body FROM documents WHERE kind = ?1 ORDER BY id",
    )?;
    let document = |row: &Row<'_>| {
        let body: String = row.get(3)?;
        Ok(Document {
            id: row.get(0)?,
            version: unsigned(row.get(1)?),
            updated: unsigned(row.get(2)?),
            body: serde_json::from_str(&body).unwrap_or_default(),
        })
    };
    statement.query_map([kind], document)?.collect()
}

pub(super) fn size(connection: &Connection) -> rusqlite::Result<StoreSize> {
    let number = |sql: &str| -> rusqlite::Result<u64> {
        connection
            .query_row(sql, [], |row| row.get(0))
            .map(unsigned)
    };
    let pages = number("PRAGMA page_count")?.saturating_sub(number("PRAGMA freelist_count")?);
    Ok(StoreSize {
        events: number("SELECT count(*) FROM events")?,
        bytes: pages * number("PRAGMA page_size")?,
    })
}

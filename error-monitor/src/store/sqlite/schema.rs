//! The tables, and how an older file comes to have them.

use rusqlite::{Connection, TransactionBehavior};

use crate::store::StoreError;

/// Each step leads from one version of the schema to the next; one that was released is never changed.
const STEPS: [&str; 1] = [FIRST];

/// "errm": tells the file from those of other programs.
const APPLICATION: i64 = 0x6572_726d;

const FIRST: &str = "
-- The last batch of each instance, so that one that is sent again is not counted again.
CREATE TABLE writers (
    instance TEXT PRIMARY KEY, number INTEGER NOT NULL, seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Failures that are counted together. Numbers of counts refer to these.
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL, domain TEXT NOT NULL, code TEXT NOT NULL, status INTEGER NOT NULL,
    route TEXT NOT NULL, service TEXT NOT NULL, category TEXT NOT NULL,
    UNIQUE (fingerprint, domain, code, status, route, service, category)
) STRICT;

-- The same numbers three times: the coarser, the longer they are kept and the faster they answer.
CREATE TABLE minutes (
    start INTEGER NOT NULL, series INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (start, series)
) STRICT, WITHOUT ROWID;
CREATE TABLE hours (
    start INTEGER NOT NULL, series INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (start, series)
) STRICT, WITHOUT ROWID;
CREATE TABLE days (
    start INTEGER NOT NULL, series INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (start, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE request_minutes (
    start INTEGER NOT NULL, route TEXT NOT NULL,
    total INTEGER NOT NULL, client_errors INTEGER NOT NULL, server_errors INTEGER NOT NULL,
    PRIMARY KEY (start, route)
) STRICT, WITHOUT ROWID;
CREATE TABLE request_hours (
    start INTEGER NOT NULL, route TEXT NOT NULL,
    total INTEGER NOT NULL, client_errors INTEGER NOT NULL, server_errors INTEGER NOT NULL,
    PRIMARY KEY (start, route)
) STRICT, WITHOUT ROWID;
CREATE TABLE request_days (
    start INTEGER NOT NULL, route TEXT NOT NULL,
    total INTEGER NOT NULL, client_errors INTEGER NOT NULL, server_errors INTEGER NOT NULL,
    PRIMARY KEY (start, route)
) STRICT, WITHOUT ROWID;

-- Kinds of failures, and what is thought of them.
CREATE TABLE patterns (
    fingerprint TEXT PRIMARY KEY,
    domain TEXT NOT NULL, code TEXT NOT NULL, category TEXT NOT NULL, status INTEGER NOT NULL,
    level TEXT NOT NULL, message TEXT NOT NULL, display TEXT NOT NULL,
    first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, total INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'open', changed INTEGER, changed_by TEXT, regressed INTEGER
) STRICT, WITHOUT ROWID;

-- Failures in full. An id begins with the time, so that their order is that of time.
CREATE TABLE events (
    id INTEGER PRIMARY KEY, series INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    instance TEXT NOT NULL, level TEXT NOT NULL, origin TEXT NOT NULL,
    message TEXT NOT NULL, display TEXT NOT NULL, chain TEXT, details TEXT, backtrace TEXT,
    request_id TEXT, trace_id TEXT, method TEXT, user TEXT, operation TEXT, attempts INTEGER
) STRICT;
CREATE INDEX events_by_fingerprint ON events (fingerprint);
CREATE INDEX events_by_request ON events (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX events_by_user ON events (user) WHERE user IS NOT NULL;

CREATE TABLE journal (
    kind TEXT NOT NULL, id INTEGER NOT NULL, instance TEXT NOT NULL,
    subject TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_by_subject ON journal (kind, subject, id);

CREATE TABLE documents (
    kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, updated INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- Batches that wait for a store that is away; used where this file stands in for one.
CREATE TABLE spool (place INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL) STRICT;
";

fn known() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

/// Whether it has the latest schema.
pub(super) fn is_current(connection: &Connection) -> rusqlite::Result<bool> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(found == known())
}

/// Brings the file to the latest schema. The inner result is whether it may be used at all.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<Result<(), StoreError>> {
    let known = known();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Ok(Err(StoreError::Newer { found, known }));
    }
    for step in &STEPS[found as usize..] {
        transaction.execute_batch(step)?;
    }
    if found < known {
        transaction.pragma_update(None, "user_version", known)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
    }
    transaction.commit()?;
    Ok(Ok(()))
}

/// Whether the file is sound. What it finds is told as `SQLite` tells of damage that it runs into.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<()> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    let damage = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(damage, Some(found)))
}

//! What is too old or too much goes, a part at a time.

use error_runtime::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::read;
use super::signed;
use super::write::Known;
use crate::store::{Retained, Retention, StoredEvent};
use crate::time::{DAY, HOUR, at, floor};

/// How many rows go at once: other writes wait for as long.
const PART: u64 = 5_000;

/// One part, and whether there is more to do.
pub(super) fn part(
    connection: &mut Connection,
    known: &mut Known,
    retention: &Retention,
    now: Timestamp,
) -> rusqlite::Result<(Retained, bool)> {
    let before = |age: u64| now.unix_millis().saturating_sub(age);
    let size = read::size(connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let delete = |sql: &str, bound: u64| -> rusqlite::Result<u64> {
        let gone = transaction
            .prepare_cached(sql)?
            .execute(params![signed(bound), signed(PART)])?;
        Ok(gone as u64)
    };
    let mut gone = Retained::default();

    let oldest = StoredEvent::first_id(at(before(retention.events)));
    gone.events += delete(
        "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id < ?1 ORDER BY id LIMIT ?2)",
        oldest,
    )?;
    let too_many = size.events.saturating_sub(retention.max_events);
    // Too large: a tenth of the failures goes, and what is left is measured again.
    let too_large = if size.bytes > retention.max_bytes {
        (size.events / 10).max(1)
    } else {
        0
    };
    let surplus = too_many
        .max(too_large)
        .saturating_sub(gone.events)
        .min(PART);
    if surplus > 0 {
        let sql = "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?1)";
        gone.events += transaction
            .prepare_cached(sql)?
            .execute([signed(surplus)])? as u64;
    }

    // Whole hours of minutes go, so that no hour is half there.
    let minute = floor(before(retention.minutes), HOUR);
    let hour = floor(before(retention.hours), HOUR);
    let day = floor(before(retention.hours), DAY);
    for (table, bound) in [("minutes", minute), ("hours", hour), ("days", day)] {
        for (table, key) in [
            (table.to_owned(), "series"),
            (format!("request_{table}"), "route"),
        ] {
            gone.counts += delete(
                &format!(
                    "DELETE FROM {table} WHERE (start, {key}) IN
                     (SELECT start, {key} FROM {table} WHERE start < ?1 LIMIT ?2)"
                ),
                bound,
            )?;
        }
    }

    for (is_audit, age) in [(false, retention.journal), (true, retention.audit)] {
        let comparison = if is_audit { "=" } else { "<>" };
        gone.journal += delete(
            &format!(
                "DELETE FROM journal WHERE (kind, id) IN (SELECT kind, id FROM journal
                 WHERE kind {comparison} 'audit' AND id < ?1 LIMIT ?2)"
            ),
            StoredEvent::first_id(at(before(age))),
        )?;
    }
    let more = gone.events >= PART
        || gone.counts >= PART
        || gone.journal >= PART
        || too_many.max(too_large) > gone.events && gone.events > 0;
    if !more {
        tidy(&transaction, known, retention, now)?;
    }
    transaction.commit()?;
    if !more {
        // Pages that nobody needs go back to the disk, a few at a time.
        connection
            .query_row("PRAGMA incremental_vacuum(2000)", [], |_| Ok(()))
            .optional()?;
    }
    Ok((gone, more))
}

/// What nothing refers to any more: writers of long ago, kinds and series without counts.
fn tidy(
    connection: &Connection,
    known: &mut Known,
    retention: &Retention,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let before = |age: u64| signed(now.unix_millis().saturating_sub(age));
    connection
        .prepare_cached("DELETE FROM writers WHERE seen < ?1")?
        .execute([before(30 * DAY)])?;
    let gone = connection
        .prepare_cached("DELETE FROM patterns WHERE last_seen < ?1")?
        .execute([before(retention.hours)])?;
    if gone > 0 {
        connection.execute(
            "DELETE FROM series WHERE fingerprint NOT IN (SELECT fingerprint FROM patterns)
             AND id NOT IN (SELECT series FROM events)",
            [],
        )?;
        known.forget();
    }
    Ok(())
}

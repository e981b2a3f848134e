//! What is too old or too much goes: failures by the day, since a partition is dropped in no time.

use std::sync::PoisonError;

use deadpool_postgres::Object;
use error_runtime::time::Timestamp;
use tokio_postgres::Error;

use super::write::partition;
use super::{PostgresStore, read, signed, unsigned};
use crate::store::{Retained, Retention, StoreSize, StoredEvent};
use crate::time::{DAY, HOUR, at, floor};

pub(super) async fn retain(
    store: &PostgresStore,
    connection: &Object,
    retention: &Retention,
    now: Timestamp,
) -> Result<Retained, Error> {
    let before = |age: u64| now.unix_millis().saturating_sub(age);
    let mut gone = Retained::default();
    let mut days = days(connection).await?;
    let oldest = floor(before(retention.events), DAY);
    let mut size = read::size(connection).await?;
    let today = floor(now.unix_millis(), DAY);
    while let Some(day) = days.first().copied() {
        let too_much = size.bytes > retention.max_bytes || size.events > retention.max_events;
        if day >= oldest && !(too_much && day < today) {
            break;
        }
        gone.events += drop_day(store, connection, day).await?;
        days.remove(0);
        size = read::size(connection).await?;
    }
    gone.events += thin_today(connection, retention, size).await?;

    let minute = signed(floor(before(retention.minutes), HOUR));
    let hour = signed(floor(before(retention.hours), HOUR));
    let day = signed(floor(before(retention.hours), DAY));
    for (table, bound) in [("minutes", minute), ("hours", hour), ("days", day)] {
        for table in [table.to_owned(), format!("request_{table}")] {
            let sql = format!("DELETE FROM error_monitor.{table} WHERE start < $1");
            gone.counts += connection.execute(&sql, &[&bound]).await?;
        }
    }
    let bound = |age: u64| signed(StoredEvent::first_id(at(before(age))));
    gone.journal += connection
        .execute(
            "DELETE FROM error_monitor.journal
             WHERE (kind = 'audit' AND id < $1) OR (kind <> 'audit' AND id < $2)",
            &[&bound(retention.audit), &bound(retention.journal)],
        )
        .await?;
    connection
        .execute(
            "DELETE FROM error_monitor.writers WHERE seen < $1",
            &[&signed(before(30 * DAY))],
        )
        .await?;
    connection
        .execute(
            "DELETE FROM error_monitor.patterns WHERE last_seen < $1",
            &[&signed(before(retention.hours))],
        )
        .await?;
    Ok(gone)
}

/// Days that have a partition, the oldest first.
async fn days(connection: &Object) -> Result<Vec<u64>, Error> {
    let rows = connection
        .query(
            "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = 'error_monitor.events'::regclass",
            &[],
        )
        .await?;
    let number = |name: &str| name.strip_prefix("events_")?.parse::<u64>().ok();
    let mut days: Vec<_> = rows
        .iter()
        .filter_map(|row| number(row.get(0)))
        .map(|day| day * DAY)
        .collect();
    days.sort_unstable();
    Ok(days)
}

async fn drop_day(store: &PostgresStore, connection: &Object, day: u64) -> Result<u64, Error> {
    let name = partition(day);
    let count = connection
        .query_one(&format!("SELECT count(*) FROM {name}"), &[])
        .await?;
    connection
        .batch_execute(&format!("DROP TABLE {name}"))
        .await?;
    store
        .days
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .retain(|known| *known != day);
    Ok(unsigned(count.get(0)))
}

/// Where a single day is too much, its oldest failures go. What is deleted is not given back to the disk by
/// itself: where it is the size that matters, the day is written anew.
async fn thin_today(
    connection: &Object,
    retention: &Retention,
    size: StoreSize,
) -> Result<u64, Error> {
    let too_many = size.events.saturating_sub(retention.max_events);
    let too_large = size.bytes > retention.max_bytes;
    let surplus = too_many
        .max(if too_large { size.events / 10 } else { 0 })
        .min(50_000);
    if surplus == 0 {
        return Ok(0);
    }
    let gone = connection
        .execute(
            "DELETE FROM error_monitor.events WHERE id IN
             (SELECT id FROM error_monitor.events ORDER BY id LIMIT $1)",
            &[&signed(surplus)],
        )
        .await?;
    if too_large {
        // Writers wait for it, or their batches do in their spools.
        connection
            .batch_execute("SET statement_timeout = '50s'; SET lock_timeout = '10s'")
            .await?;
        connection
            .batch_execute("VACUUM (FULL) error_monitor.events")
            .await?;
        connection
            .batch_execute("RESET statement_timeout; RESET lock_timeout")
            .await?;
    }
    Ok(gone)
}

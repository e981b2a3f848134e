//! All that changes the database but for what is let go of.
//!
//! Many processes write the same counts: rows are always written in one order, so that none waits for another
//! in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use deadpool_postgres::{Object, Transaction};
use error_runtime::time::Timestamp;
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use super::{PostgresStore, read, schema, signed};
use crate::store::{Batch, Document, PatternState, Resolution, Series, StoredEvent};
use crate::time::{DAY, at, floor};

type Result<T> = std::result::Result<T, Error>;

pub(super) async fn batch(
    store: &PostgresStore,
    connection: &mut Object,
    batch: &Batch,
) -> Result<()> {
    // On its own: a partition locks its table, which must not wait for the rows of this batch.
    add_days(store, connection, batch).await?;
    let transaction = connection.transaction().await?;
    if !is_new(&transaction, batch).await? {
        return Ok(());
    }
    let series = series_ids(store, &transaction, batch).await?;
    let id_of = |one: &Arc<Series>| series.get(one).copied().unwrap_or(0);
    write_counts(&transaction, batch, id_of).await?;
    write_requests(&transaction, batch).await?;
    write_events(&transaction, batch, id_of).await?;
    write_patterns(&transaction, batch).await?;
    write_journal(&transaction, batch).await?;
    transaction.commit().await
}

async fn is_new(transaction: &Transaction<'_>, batch: &Batch) -> Result<bool> {
    let statement = transaction
        .prepare_cached(
            "INSERT INTO error_monitor.writers AS w (instance, number, seen) VALUES ($1, $2, $3)
             ON CONFLICT (instance) DO UPDATE SET number = excluded.number, seen = excluded.seen
             WHERE excluded.number > w.number",
        )
        .await?;
    let changed = transaction
        .execute(
            &statement,
            &[
                &&*batch.instance,
                &signed(batch.number),
                &signed(batch.sealed),
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// The day of a failure has a partition before the failure comes.
async fn add_days(store: &PostgresStore, connection: &mut Object, batch: &Batch) -> Result<()> {
    let days: BTreeSet<u64> = batch
        .events
        .iter()
        .map(|event| floor(StoredEvent::time_of(event.id).unix_millis(), DAY))
        .collect();
    for day in days {
        if store
            .days
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&day)
        {
            continue;
        }
        let transaction = connection.transaction().await?;
        transaction
            .execute("SELECT pg_advisory_xact_lock($1)", &[&schema::SCHEMA])
            .await?;
        let (from, to) = (
            StoredEvent::first_id(at(day)),
            StoredEvent::first_id(at(day + DAY)),
        );
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {} PARTITION OF error_monitor.events
             FOR VALUES FROM ({from}) TO ({to})",
            partition(day)
        );
        transaction.batch_execute(&sql).await?;
        transaction.commit().await?;
        let mut days = store.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.push(day);
        if days.len() > 1000 {
            days.clear();
        }
    }
    Ok(())
}

/// The partition of a day, by its number since 1970.
pub(super) fn partition(day: u64) -> String {
    format!("error_monitor.events_{}", day / DAY)
}

async fn series_ids(
    store: &PostgresStore,
    transaction: &Transaction<'_>,
    batch: &Batch,
) -> Result<BTreeMap<Arc<Series>, i64>> {
    let all: BTreeSet<&Arc<Series>> = batch
        .counts
        .iter()
        .map(|delta| &delta.series)
        .chain(batch.events.iter().map(|event| &event.series))
        .collect();
    let mut ids = BTreeMap::new();
    let mut unknown = Vec::new();
    {
        let known = store.series.lock().unwrap_or_else(PoisonError::into_inner);
        for one in all {
            match known.get(one) {
                Some(id) => {
                    ids.insert(Arc::clone(one), *id);
                }
                None => unknown.push(Arc::clone(one)),
            }
        }
    }
    if unknown.is_empty() {
        return Ok(ids);
    }
    let insert = transaction
        .prepare_cached(
            "INSERT INTO error_monitor.series (fingerprint, domain, code, status, route, service, category)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .await?;
    let select = transaction
        .prepare_cached(
            "SELECT id FROM error_monitor.series WHERE fingerprint = $1 AND domain = $2 AND code = $3
             AND status = $4 AND route = $5 AND service = $6 AND category = $7",
        )
        .await?;
    for one in unknown {
        let status = i32::from(one.status);
        let key: [&(dyn ToSql + Sync); 7] = [
            &one.fingerprint,
            &one.domain,
            &one.code,
            &status,
            &one.route,
            &one.service,
            &one.category,
        ];
        transaction.execute(&insert, &key).await?;
        let id: i64 = transaction.query_one(&select, &key).await?.get(0);
        ids.insert(one, id);
    }
    let mut known = store.series.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() > 50_000 {
        known.clear();
    }
    known.extend(ids.iter().map(|(one, id)| (Arc::clone(one), *id)));
    Ok(ids)
}

async fn write_counts(
    transaction: &Transaction<'_>,
    batch: &Batch,
    id_of: impl Fn(&Arc<Series>) -> i64,
) -> Result<()> {
    for resolution in Resolution::ALL {
        let (table, step) = (read::table(resolution), resolution.millis());
        let mut sums: BTreeMap<(i64, i64), i64> = BTreeMap::new();
        for delta in &batch.counts {
            let key = (signed(floor(delta.minute, step)), id_of(&delta.series));
            *sums.entry(key).or_default() += signed(delta.count);
        }
        if sums.is_empty() {
            continue;
        }
        let (starts, series): (Vec<i64>, Vec<i64>) = sums.keys().copied().unzip();
        let counts: Vec<i64> = sums.into_values().collect();
        let sql = format!(
            "INSERT INTO error_monitor.{table} AS t (start, series, count)
             SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
             ON CONFLICT (start, series) DO UPDATE SET count = t.count + excluded.count"
        );
        let statement = transaction.prepare_cached(&sql).await?;
        transaction
            .execute(&statement, &[&starts, &series, &counts])
            .await?;
    }
    Ok(())
}

async fn write_requests(transaction: &Transaction<'_>, batch: &Batch) -> Result<()> {
    for resolution in Resolution::ALL {
        let (table, step) = (read::table(resolution), resolution.millis());
        let mut sums: BTreeMap<(i64, &str), [i64; 3]> = BTreeMap::new();
        for delta in &batch.requests {
            let sum = sums
                .entry((signed(floor(delta.minute, step)), &delta.route))
                .or_default();
            sum[0] += signed(delta.total);
            sum[1] += signed(delta.client_errors);
            sum[2] += signed(delta.server_errors);
        }
        if sums.is_empty() {
            continue;
        }
        let (starts, routes): (Vec<i64>, Vec<&str>) = sums.keys().copied().unzip();
        let column = |place: usize| sums.values().map(|sum| sum[place]).collect::<Vec<i64>>();
        let sql = format!(
            "INSERT INTO error_monitor.request_{table} AS t (start, route, total, client_errors, server_errors)
             SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
             ON CONFLICT (start, route) DO UPDATE SET total = t.total + excluded.total,
             client_errors = t.client_errors + excluded.client_errors,
             server_errors = t.server_errors + excluded.server_errors"
        );
        let statement = transaction.prepare_cached(&sql).await?;
        let sums = [column(0), column(1), column(2)];
        transaction
            .execute(
                &statement,
                &[&starts, &routes, &sums[0], &sums[1], &sums[2]],
            )
            .await?;
    }
    Ok(())
}

async fn write_events(
    transaction: &Transaction<'_>,
    batch: &Batch,
    id_of: impl Fn(&Arc<Series>) -> i64,
) -> Result<()> {
    let statement = transaction
        .prepare_cached(
            "INSERT INTO error_monitor.events (id, instance, series, fingerprint, level, origin, message,
                 display, chain, details, backtrace, request_id, trace_id, method, user_id, operation, attempts)
             SELECT id, $2, series, fingerprint, level, origin, message, display, chain, details, backtrace,
                 request_id, trace_id, method, user_id, operation, attempts
             FROM unnest($1::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
                 $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
                 $15::text[], $16::text[], $17::bigint[])
             AS t (id, series, fingerprint, level, origin, message, display, chain, details, backtrace,
                 request_id, trace_id, method, user_id, operation, attempts)
             ON CONFLICT DO NOTHING RETURNING id",
        )
        .await?;
    let mut left: Vec<(i64, &StoredEvent)> = batch
        .events
        .iter()
        .map(|event| (signed(event.id), event))
        .collect();
    // Mostly once. Another process may have had the same number in the same millisecond: then the next one.
    while !left.is_empty() {
        let ids: Vec<i64> = left.iter().map(|(id, _)| *id).collect();
        let series: Vec<i64> = left.iter().map(|(_, event)| id_of(&event.series)).collect();
        let texts = |pick: fn(&StoredEvent) -> &str| {
            left.iter()
                .map(|(_, event)| pick(event))
                .collect::<Vec<_>>()
        };
        let options = |pick: fn(&StoredEvent) -> &Option<String>| {
            left.iter()
                .map(|(_, event)| pick(event).as_deref())
                .collect::<Vec<_>>()
        };
        let chain = |event: &StoredEvent| match event.chain.as_slice() {
            [] => None,
            chain => serde_json::to_string(chain).ok(),
        };
        let chains: Vec<Option<String>> = left.iter().map(|(_, event)| chain(event)).collect();
        let attempts: Vec<Option<i64>> = left
            .iter()
            .map(|(_, event)| event.attempts.map(i64::from))
            .collect();
        let rows = transaction
            .query(
                &statement,
                &[
                    &ids,
                    &&*batch.instance,
                    &series,
                    &texts(|event| &event.series.fingerprint),
                    &texts(|event| &event.level),
                    &texts(|event| &event.origin),
                    &texts(|event| &event.message),
                    &texts(|event| &event.display),
                    &chains,
                    &options(|event| &event.details),
                    &options(|event| &event.backtrace),
                    &options(|event| &event.request_id),
                    &options(|event| &event.trace_id),
                    &options(|event| &event.method),
                    &options(|event| &event.user),
                    &options(|event| &event.operation),
                    &attempts,
                ],
            )
            .await?;
        let mut written: BTreeSet<i64> = rows.iter().map(|row| row.get(0)).collect();
        left.retain(|(id, _)| !written.remove(id));
        for (id, _) in &mut left {
            *id += 1;
        }
    }
    Ok(())
}

async fn write_patterns(transaction: &Transaction<'_>, batch: &Batch) -> Result<()> {
    let statement = transaction
        .prepare_cached(
            "INSERT INTO error_monitor.patterns AS p (fingerprint, domain, code, category, status, level,
                 message, display, first_seen, last_seen, total)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (fingerprint) DO UPDATE SET
                 regressed = CASE WHEN p.state = 'resolved' AND excluded.last_seen > p.changed
                     THEN excluded.last_seen ELSE p.regressed END,
                 state = CASE WHEN p.state = 'resolved' AND excluded.last_seen > p.changed
                     THEN 'open' ELSE p.state END,
                 status = excluded.status,
                 level = CASE excluded.level WHEN '' THEN p.level ELSE excluded.level END,
                 message = CASE excluded.level WHEN '' THEN p.message ELSE excluded.message END,
                 display = CASE excluded.level WHEN '' THEN p.display ELSE excluded.display END,
                 first_seen = least(p.first_seen, excluded.first_seen),
                 last_seen = greatest(p.last_seen, excluded.last_seen),
                 total = p.total + excluded.total",
        )
        .await?;
    // By fingerprint, as they come.
    for seen in batch.kinds() {
        transaction
            .execute(
                &statement,
                &[
                    &seen.series.fingerprint,
                    &seen.series.domain,
                    &seen.series.code,
                    &seen.series.category,
                    &i32::from(seen.series.status),
                    &seen.text(|event| &event.level),
                    &seen.text(|event| &event.message),
                    &seen.text(|event| &event.display),
                    &signed(seen.first),
                    &signed(seen.last),
                    &signed(seen.count),
                ],
            )
            .await?;
    }
    Ok(())
}

async fn write_journal(transaction: &Transaction<'_>, batch: &Batch) -> Result<()> {
    if batch.journal.is_empty() {
        return Ok(());
    }
    let statement = transaction
        .prepare_cached(
            "INSERT INTO error_monitor.journal (kind, id, instance, subject, body)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .await?;
    for entry in &batch.journal {
        let body = entry.body.to_string();
        for id in signed(entry.id).. {
            let values: [&(dyn ToSql + Sync); 5] = [
                &entry.kind.as_str(),
                &id,
                &&*batch.instance,
                &entry.subject,
                &body,
            ];
            if transaction.execute(&statement, &values).await? == 1 {
                break;
            }
        }
    }
    Ok(())
}

pub(super) async fn ping(connection: &Object) -> Result<()> {
    // Of a standby that answers, nothing can be written.
    let row = connection
        .query_one("SELECT pg_is_in_recovery()", &[])
        .await?;
    if row.get::<_, bool>(0) {
        connection
            .batch_execute("CREATE TEMP TABLE error_monitor_ping ()")
            .await?;
    }
    Ok(())
}

pub(super) async fn pattern_state(
    connection: &Object,
    fingerprint: &str,
    state: PatternState,
    by: &str,
    at: Timestamp,
) -> Result<bool> {
    let changed = connection
        .execute(
            "UPDATE error_monitor.patterns SET state = $2, changed = $3, changed_by = $4,
             regressed = CASE $2 WHEN 'open' THEN regressed END WHERE fingerprint = $1",
            &[
                &fingerprint,
                &state.as_str(),
                &signed(at.unix_millis()),
                &by,
            ],
        )
        .await?;
    Ok(changed == 1)
}

pub(super) async fn put_document(
    connection: &Object,
    kind: &str,
    document: &Document,
) -> Result<Option<u64>> {
    let body = document.body.to_string();
    let (version, updated) = (signed(document.version), signed(document.updated));
    let changed = if document.version == 0 {
        connection
            .execute(
                "INSERT INTO error_monitor.documents (kind, id, version, updated, body)
                 VALUES ($1, $2, 1, $3, $4) ON CONFLICT DO NOTHING",
                &[&kind, &document.id, &updated, &body],
            )
            .await?
    } else {
        connection
            .execute(
                "UPDATE error_monitor.documents SET version = version + 1, updated = $4, body = $5
                 WHERE kind = $1 AND id = $2 AND version = $3",
                &[&kind, &document.id, &version, &updated, &body],
            )
            .await?
    };
    Ok((changed == 1).then(|| document.version + 1))
}

pub(super) async fn delete_document(connection: &Object, kind: &str, id: &str) -> Result<bool> {
    let gone = connection
        .execute(
            "DELETE FROM error_monitor.documents WHERE kind = $1 AND id = $2",
            &[&kind, &id],
        )
        .await?;
    Ok(gone == 1)
}

//! The tables, and how an older database comes to have them.

use deadpool_postgres::Object;

use super::explain;
use crate::store::StoreError;

/// Each step leads from one version of the schema to the next; one that was released is never changed.
const STEPS: [&str; 1] = [FIRST];

/// Locks of our own: of whoever changes the schema, and of the one instance that leads.
pub(super) const SCHEMA: i64 = 0x6572_726d_0001;
pub(super) const LEADER: i64 = 0x6572_726d_0002;

const FIRST: &str = "
CREATE TABLE error_monitor.writers (
    instance text PRIMARY KEY, number bigint NOT NULL, seen bigint NOT NULL
);
CREATE TABLE error_monitor.series (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text NOT NULL, domain text NOT NULL, code text NOT NULL, status integer NOT NULL,
    route text NOT NULL, service text NOT NULL, category text NOT NULL,
    UNIQUE (fingerprint, domain, code, status, route, service, category)
);
-- The same numbers three times: the coarser, the longer they are kept and the faster they answer.
CREATE TABLE error_monitor.minutes (
    start bigint NOT NULL, series bigint NOT NULL, count bigint NOT NULL, PRIMARY KEY (start, series)
);
CREATE TABLE error_monitor.hours (
    start bigint NOT NULL, series bigint NOT NULL, count bigint NOT NULL, PRIMARY KEY (start, series)
);
CREATE TABLE error_monitor.days (
    start bigint NOT NULL, series bigint NOT NULL, count bigint NOT NULL, PRIMARY KEY (start, series)
);
CREATE TABLE error_monitor.request_minutes (
    start bigint NOT NULL, route text NOT NULL,
    total bigint NOT NULL, client_errors bigint NOT NULL, server_errors bigint NOT NULL,
    PRIMARY KEY (start, route)
);
CREATE TABLE error_monitor.request_hours (
    start bigint NOT NULL, route text NOT NULL,
    total bigint NOT NULL, client_errors bigint NOT NULL, server_errors bigint NOT NULL,
    PRIMARY KEY (start, route)
);
CREATE TABLE error_monitor.request_days (
    start bigint NOT NULL, route text NOT NULL,
    total bigint NOT NULL, client_errors bigint NOT NULL, server_errors bigint NOT NULL,
    PRIMARY KEY (start, route)
);
CREATE TABLE error_monitor.patterns (
    fingerprint text PRIMARY KEY,
    domain text NOT NULL, code text NOT NULL, category text NOT NULL, status integer NOT NULL,
    level text NOT NULL, message text NOT NULL, display text NOT NULL,
    first_seen bigint NOT NULL, last_seen bigint NOT NULL, total bigint NOT NULL,
    state text NOT NULL DEFAULT 'open', changed bigint, changed_by text, regressed bigint
);
-- An id begins with the time, so that a day is a range of ids.
CREATE TABLE error_monitor.events (
    id bigint NOT NULL, instance text NOT NULL, series bigint NOT NULL, fingerprint text NOT NULL,
    level text NOT NULL, origin text NOT NULL, message text NOT NULL, display text NOT NULL,
    chain text, details text, backtrace text, request_id text, trace_id text, method text,
    user_id text, operation text, attempts bigint,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX events_by_fingerprint ON error_monitor.events (fingerprint, id);
CREATE INDEX events_by_request ON error_monitor.events (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX events_by_user ON error_monitor.events (user_id, id) WHERE user_id IS NOT NULL;
CREATE TABLE error_monitor.journal (
    kind text NOT NULL, id bigint NOT NULL, instance text NOT NULL,
    subject text NOT NULL, body text NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX journal_by_subject ON error_monitor.journal (kind, subject, id);
CREATE TABLE error_monitor.documents (
    kind text NOT NULL, id text NOT NULL, version bigint NOT NULL, updated bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (kind, id)
);
";

/// Brings the database to the latest schema. Of several that begin at once, one does it.
pub(super) async fn migrate(connection: &mut Object) -> Result<(), StoreError> {
    let failed = |error: tokio_postgres::Error| explain(&error);
    let transaction = connection.transaction().await.map_err(failed)?;
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&SCHEMA])
        .await
        .map_err(failed)?;
    transaction
        .batch_execute(
            "CREATE SCHEMA IF NOT EXISTS error_monitor;
             CREATE TABLE IF NOT EXISTS error_monitor.version (version integer NOT NULL);",
        )
        .await
        .map_err(failed)?;
    let row = transaction
        .query_opt("SELECT version FROM error_monitor.version", &[])
        .await
        .map_err(failed)?;
    let found = row.map_or(0, |row| row.get::<_, i32>(0));
    let known = i32::try_from(STEPS.len()).unwrap_or(i32::MAX);
    if found > known {
        let number = |version: i32| u32::try_from(version).unwrap_or(0);
        return Err(StoreError::Newer {
            found: number(found),
            known: number(known),
        });
    }
    for step in &STEPS[usize::try_from(found).unwrap_or(0)..] {
        transaction.batch_execute(step).await.map_err(failed)?;
    }
    if found < known {
        transaction
            .execute("DELETE FROM error_monitor.version", &[])
            .await
            .map_err(failed)?;
        transaction
            .execute("INSERT INTO error_monitor.version VALUES ($1)", &[&known])
            .await
            .map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

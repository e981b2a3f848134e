//! The audit, and the monitor itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use error_runtime::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::guard::Call;
use super::params::cursor;
use super::{AdminError, Answer, Api};
use crate::access::Role;
use crate::store::{JournalKind, JournalQuery, StoreSize, StoredEvent};

/// Who changed what.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AuditLog {
    entries: Vec<AuditEntry>,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct AuditEntry {
    #[schemars(with = "super::Time")]
    time: Timestamp,
    /// The process that did it.
    instance: String,
    actor: String,
    role: String,
    /// The endpoint, by its name in the `OpenAPI` document.
    action: String,
    /// What was changed.
    target: String,
    before: Value,
    after: Value,
    /// `done`, or the code of the error.
    result: String,
    request_id: Option<String>,
}

pub(super) async fn audit(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let query = JournalQuery {
        kind: JournalKind::Audit,
        subject: call.params.text("actor"),
        before: call.params.cursor(),
        limit: call.params.limit(50),
    };
    let page = api.store.journal(&query).await?;
    let entries = page.entries.into_iter().map(|(entry, instance)| {
        let text = |key: &str| entry.body[key].as_str().unwrap_or("").to_owned();
        AuditEntry {
            time: StoredEvent::time_of(entry.id),
            instance,
            role: text("role"),
            action: text("action"),
            target: text("target"),
            before: entry.body["before"].clone(),
            after: entry.body["after"].clone(),
            result: text("result"),
            request_id: entry.body["request_id"].as_str().map(str::to_owned),
            actor: entry.subject,
        }
    });
    Answer::json(&AuditLog {
        entries: entries.collect(),
        next_cursor: page.next.map(cursor),
    })
}

/// Who has signed in.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Me {
    name: String,
    role: Role,
}

pub(super) async fn me(_: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    // Nobody comes as far as this without having signed in.
    let actor = call.actor.as_ref().ok_or(AdminError::NotSignedIn)?;
    Answer::json(&Me {
        name: actor.name.clone(),
        role: actor.role,
    })
}

/// The monitor itself.
#[derive(Serialize, JsonSchema)]
pub(crate) struct MonitorState {
    instance: String,
    #[schemars(with = "super::Time")]
    started: Timestamp,
    version: &'static str,
    store: String,
    size: Option<StoreSize>,
    failures: FailureCounts,
}

/// What has become of the failures that this process was told of. Each is in the counts of the statistics,
/// whatever has become of its full text.
#[derive(Serialize, JsonSchema)]
pub(crate) struct FailureCounts {
    /// Kept in full.
    stored: u64,
    /// Counted only: so many of their kind were kept in the same minute.
    sampled_out: u64,
    /// Counted only: there was no room for them.
    dropped: u64,
    /// How often the store did not take what it was given. It was tried again.
    failed_writes: u64,
}

pub(super) async fn state(api: Arc<Api>, _: &mut Call) -> Result<Answer, AdminError> {
    api.flush().await;
    let shared = &api.shared;
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    Answer::json(&MonitorState {
        instance: shared.instance.to_string(),
        started: shared.started,
        version: env!("CARGO_PKG_VERSION"),
        store: api.store.name().into_owned(),
        size: api.store.size().await.ok(),
        failures: FailureCounts {
            stored: count(&shared.pump.written),
            sampled_out: count(&shared.failures.sampled_out),
            dropped: count(&shared.failures.dropped) + count(&shared.pump.dropped),
            failed_writes: count(&shared.pump.failed_writes),
        },
    })
}

//! Single failures.

use std::sync::Arc;

use error_runtime::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::guard::Call;
use super::params::cursor;
use super::{AdminError, Answer, Api};
use crate::store::{EventQuery, StoredEvent};
use crate::time::at;

/// Failures, the latest first.
#[derive(Serialize, JsonSchema)]
pub(crate) struct RecentErrors {
    errors: Vec<RecentError>,
    /// Where the next page begins; null on the last. A page may be short, or empty, and yet have one.
    next_cursor: Option<String>,
}

/// One failure.
#[derive(Serialize, JsonSchema)]
pub(crate) struct RecentError {
    id: String,
    #[schemars(with = "super::Time")]
    time: Timestamp,
    /// The process that answered.
    instance: String,
    fingerprint: String,
    domain: String,
    code: String,
    status: u16,
    category: String,
    level: String,
    /// Where it comes from: declared, framework, panic, undeclared, response, stream.
    origin: String,
    /// What the client has read.
    message: String,
    /// What the log has read.
    display: String,
    /// Its sources, nearest first.
    chain: Vec<String>,
    /// What the client has got as details.
    details: Option<serde_json::Value>,
    backtrace: Option<String>,
    request_id: Option<String>,
    trace_id: Option<String>,
    method: Option<String>,
    route: Option<String>,
    user: Option<String>,
    /// The circuit breaker that was involved.
    service: Option<String>,
    /// The retry that gave up.
    operation: Option<String>,
    attempts: Option<u32>,
}

pub(super) async fn recent(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let params = &call.params;
    let bounded = params.get("from").is_some() || params.get("to").is_some();
    let range = bounded
        .then(|| params.range(api.shared.now()))
        .transpose()?;
    let query = EventQuery {
        range,
        before: params.cursor(),
        limit: params.limit(50),
        filter: super::stats::filter(params),
        request_id: params.text("request_id"),
        user: params.text("user"),
        text: params.text("q"),
    };
    let page = api.store.events(&query).await?;
    Answer::json(&RecentErrors {
        errors: page
            .events
            .into_iter()
            .map(|(event, instance)| error(event, instance))
            .collect(),
        next_cursor: page.next.map(cursor),
    })
}

fn error(event: StoredEvent, instance: String) -> RecentError {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let series = &event.series;
    RecentError {
        id: cursor(event.id),
        time: at(event.time),
        instance,
        fingerprint: series.fingerprint.clone(),
        domain: series.domain.clone(),
        code: series.code.clone(),
        status: series.status,
        category: series.category.clone(),
        route: some(&series.route),
        service: some(&series.service),
        level: event.level,
        origin: event.origin,
        message: event.message,
        display: event.display,
        chain: event.chain,
        details: event
            .details
            .and_then(|details| serde_json::from_str(&details).ok()),
        backtrace: event.backtrace,
        request_id: event.request_id,
        trace_id: event.trace_id,
        method: event.method,
        user: event.user,
        operation: event.operation,
        attempts: event.attempts,
    }
}

//! How well the service is.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use error_runtime::{BreakerState, Breakers};
use schemars::JsonSchema;
use serde::Serialize;

use super::breakers::Breaker;
use super::guard::Call;
use super::{AdminError, Answer, Api};
use crate::health::{CheckReport, Health, overall};
use crate::store::{CountQuery, EventFilter, GroupBy};
use crate::time::{MINUTE, Range};

/// Whether the process lives.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Liveness {
    status: Health,
}

/// Whether the service should get requests.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Readiness {
    status: Health,
    /// For those who have signed in: what the checks say.
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Vec<CheckReport>>,
    /// For those who have signed in: how the error store is.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<StoreHealth>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct StoreHealth {
    name: String,
    status: Health,
    message: Option<String>,
}

/// The health of everything that the service needs.
#[derive(Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the answer's name for it")]
pub(crate) struct Services {
    /// The worst of it; the failure of what is not critical is a warning.
    status: Health,
    instance: String,
    services: Vec<Service>,
    store: StoreHealth,
}

/// One thing that the service needs.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Service {
    name: String,
    status: Health,
    /// Failures in which it was involved, in the last five minutes.
    errors: u64,
    /// Failed calls of all in the window of its breaker, where that is known.
    #[schemars(range(min = 0.0, max = 1.0))]
    failure_rate: Option<f64>,
    breaker: Option<Breaker>,
    checks: Vec<CheckReport>,
}

const HEALTH_JSON: &str = "application/health+json";

pub(super) async fn check(_: Arc<Api>, _: &mut Call) -> Result<Answer, AdminError> {
    Answer::json_with(
        StatusCode::OK,
        HEALTH_JSON,
        &Liveness {
            status: Health::Pass,
        },
    )
}

/// Failures wait for a store that is away, so that is no reason to get no requests.
async fn store_health(api: &Api) -> StoreHealth {
    let error = api.store.ping().await.err();
    StoreHealth {
        name: api.store.name().into_owned(),
        status: if error.is_some() {
            Health::Warn
        } else {
            Health::Pass
        },
        message: error.map(|error| error.to_string()),
    }
}

fn of_checks(reports: &[CheckReport]) -> Health {
    overall(
        reports
            .iter()
            .map(|report| (report.status, report.critical)),
    )
}

pub(super) async fn ready(api: Arc<Api>, call: &mut Call) -> Result<Answer, AdminError> {
    let reports = api.checks.reports().await;
    let status = of_checks(&reports);
    let code = match status {
        Health::Fail => StatusCode::SERVICE_UNAVAILABLE,
        Health::Pass | Health::Warn => StatusCode::OK,
    };
    let (checks, store) = match &call.actor {
        Some(_) => (Some(reports), Some(store_health(&api).await)),
        None => (None, None),
    };
    let body = Readiness {
        status,
        checks,
        store,
    };
    let answer = Answer::json_with(code, HEALTH_JSON, &body)?;
    // That the service is not ready is what was asked, and no failure of its own.
    Ok(answer.unreported())
}

pub(super) async fn services(api: Arc<Api>, _: &mut Call) -> Result<Answer, AdminError> {
    let reports = api.checks.reports().await;
    let store = store_health(&api).await;
    let range = Range::before(api.shared.now(), 5 * MINUTE).widened(MINUTE);
    let filter = EventFilter::default();
    let query = CountQuery {
        range,
        group_by: GroupBy::Service,
        step: None,
        filter,
    };
    // Health is asked for most when things fail, the store among them.
    let counts = api.store.counts(&query).await.unwrap_or_default();

    let mut services: BTreeMap<String, Service> = BTreeMap::new();
    let service = |name: &str| Service {
        name: name.to_owned(),
        status: Health::Pass,
        errors: 0,
        failure_rate: None,
        breaker: None,
        checks: Vec::new(),
    };
    for breaker in Breakers::global() {
        let snapshot = breaker.snapshot();
        let one = services
            .entry(snapshot.name.clone())
            .or_insert_with_key(|name| service(name));
        let open = matches!(
            snapshot.state,
            BreakerState::Open | BreakerState::HalfOpen | BreakerState::ForcedOpen
        );
        if open {
            one.status = Health::Warn;
        }
        one.failure_rate = snapshot.window.failure_rate;
        one.breaker = Some(snapshot.into());
    }
    let status = of_checks(&reports);
    for report in reports {
        let name = report.service.clone();
        let one = services
            .entry(name)
            .or_insert_with_key(|name| service(name));
        one.status = one.status.max(report.status);
        one.checks.push(report);
    }
    for row in counts.into_iter().filter(|row| !row.key.is_empty()) {
        let one = services
            .entry(row.key.to_string())
            .or_insert_with_key(|name| service(name));
        one.errors = row.count;
    }
    let services: Vec<_> = services.into_values().collect();
    // An open breaker keeps the service from failing: by itself it is never worse than a warning.
    let worst = services
        .iter()
        .map(|one| one.status.min(Health::Warn))
        .max();
    let status = status.max(worst.unwrap_or(Health::Pass)).max(store.status);
    let instance = api.shared.instance.to_string();
    Answer::json(&Services {
        status,
        instance,
        services,
        store,
    })
}

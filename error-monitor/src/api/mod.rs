//! The endpoints: a table, and one way for every request through it.

mod admin;
#[cfg(feature = "alerts")]
mod alerts;
mod breakers;
mod budgets;
mod catalog;
mod endpoint;
mod error;
mod events;
mod guard;
mod health;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "alerts"))]
mod not_built;
mod openapi;
mod params;
mod patterns;
mod stats;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use error_runtime::ErrorLayer;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::mpsc;

use self::endpoint::{ENDPOINTS, Endpoint};
pub use self::error::AdminError;
pub(crate) use self::guard::Entrance;
use crate::access::Guesses;
use crate::config::Declared;
use crate::health::Checks;
use crate::pump::Command;
use crate::shared::Shared;
use crate::store::ErrorStore;

/// A moment as RFC 3339 writes it, in UTC and to the millisecond.
#[derive(JsonSchema)]
#[schemars(with = "String", extend("format" = "date-time"))]
pub(crate) struct Time;

/// What all endpoints work with.
pub(crate) struct Api {
    pub(crate) shared: Arc<Shared>,
    pub(crate) store: Arc<dyn ErrorStore>,
    pub(crate) checks: Arc<Checks>,
    pub(crate) commands: mpsc::WeakSender<Command>,
    pub(crate) entrance: Entrance,
    pub(crate) guesses: Guesses,
    /// How many requests are worked on at once.
    pub(crate) turns: tokio::sync::Semaphore,
    pub(crate) declared: Arc<Declared>,
    #[cfg(feature = "metrics")]
    pub(crate) metrics: crate::metrics::Metrics,
    #[cfg(feature = "alerts")]
    pub(crate) alerts: Arc<crate::alerts::Alerts>,
}

impl Api {
    /// Writes what was noted. Whether the store has it.
    async fn flush(&self) -> bool {
        let Some(commands) = self.commands.upgrade() else {
            return false;
        };
        let (done, waiting) = tokio::sync::oneshot::channel();
        commands.send(Command::Flush(done)).await.is_ok() && waiting.await.unwrap_or(false)
    }
}

/// What an endpoint answers.
pub(crate) struct Answer(Response);

impl Answer {
    /// Typed, as JSON.
    pub(crate) fn json(body: &impl Serialize) -> Result<Self, AdminError> {
        Self::json_with(axum::http::StatusCode::OK, "application/json", body)
    }

    pub(crate) fn json_with(
        status: axum::http::StatusCode,
        media_type: &'static str,
        body: &impl Serialize,
    ) -> Result<Self, AdminError> {
        // Maps have texts as keys, and numbers are finite: it does not fail.
        let text = serde_json::to_string(body).map_err(|error| {
            AdminError::StoreUnavailable(crate::store::StoreError::Failed(error.to_string()))
        })?;
        let head = [(axum::http::header::CONTENT_TYPE, media_type)];
        Ok(Self((status, head, text).into_response()))
    }

    pub(crate) fn unreported(mut self) -> Self {
        self.0.extensions_mut().insert(error_runtime::Unreported);
        self
    }

    pub(crate) fn into_response(self) -> Response {
        self.0
    }
}

/// The router of all endpoints.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(api: &Arc<Api>) -> Router<S> {
    let mut router = Router::new();
    let mut paths: Vec<String> = Vec::new();
    let other_method = {
        let api = Arc::clone(api);
        move |request: Request| {
            let api = Arc::clone(&api);
            async move { guard::other_method(&api, request).await }
        }
    };
    for endpoint in ENDPOINTS {
        let path = endpoint.place(&api.entrance);
        if paths.contains(&path) {
            continue;
        }
        let mut methods = MethodRouter::new();
        for other in ENDPOINTS
            .iter()
            .filter(|other| other.place(&api.entrance) == path)
        {
            methods = methods.on(other.filter(), serving(api, other));
        }
        // Fingerprints have a `/` in them, which need not be written as %2F.
        let path_of_axum = path.replace("{fingerprint}", "{*fingerprint}");
        router = router.route(
            &path_of_axum,
            furnished(methods.fallback(other_method.clone())),
        );
        paths.push(path);
    }
    // What is below and is nothing: the same door, and then nothing behind it.
    let nowhere = {
        let api = Arc::clone(api);
        move |request: Request| {
            let api = Arc::clone(&api);
            async move { guard::nowhere(&api, request).await }
        }
    };
    let mount = &api.entrance.mount;
    if let Some(place) = &api.entrance.dashboard {
        let page = crate::dashboard::page(place, mount);
        router = router.route(place, furnished(page));
    }
    for path in [
        format!("{mount}/{{*rest}}"),
        format!("{mount}/"),
        mount.clone(),
    ] {
        if api.entrance.dashboard.as_ref() != Some(&path) {
            router = router.route(&path, furnished(axum::routing::any(nowhere.clone())));
        }
    }
    router
}

/// Each route has the layers of its own: those of a router would hold for the application's fallback too, once
/// both are merged.
fn furnished<S: Clone + Send + Sync + 'static>(methods: MethodRouter<S>) -> MethodRouter<S> {
    methods
        .layer(ErrorLayer::new())
        .layer(axum::middleware::map_response(guard::harden))
}

fn serving(
    api: &Arc<Api>,
    endpoint: &'static Endpoint,
) -> impl Fn(Result<RawPathParams, RawPathParamsRejection>, Request<Body>) -> ServingFuture
+ Clone
+ Send
+ Sync
+ 'static {
    let api = Arc::clone(api);
    move |path, request| {
        let api = Arc::clone(&api);
        let path = path
            .map(|path: RawPathParams| path.iter().map(|(_, value)| value.to_owned()).collect());
        Box::pin(async move { guard::pass(api, endpoint, path, request).await })
    }
}

type ServingFuture = std::pin::Pin<Box<dyn Future<Output = Response> + Send>>;

impl Endpoint {
    fn filter(&self) -> MethodFilter {
        if self.is_change {
            MethodFilter::POST
        } else {
            MethodFilter::GET
        }
    }
}

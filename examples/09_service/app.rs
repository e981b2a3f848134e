//! The service itself: its parts, its routes, its layers, its monitor.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Router, extract::connect_info::IntoMakeServiceWithConnectInfo};
use error_monitor::{
    AlertRule, Budget, BuildError, Channel, Condition, HealthCheck, Monitor, Severity, WithAdmin,
};
use error_runtime::{ErrorLayer, FanOut};

use crate::accounts::{self, Accounts};
use crate::jobs::{self, Jobs};
use crate::mail::Mail;
use crate::others::{self, Others};
use crate::payments::{self, Payments};
use crate::remote::Remote;
use crate::renderer::Renderer;
use crate::storage::Storage;
use crate::story::Story;
use crate::uploads::{self, Uploads};
use crate::upstreams::Upstreams;

/// What handlers share.
pub(crate) struct App {
    pub(crate) accounts: Accounts,
    pub(crate) payments: Payments,
    pub(crate) uploads: Uploads,
    pub(crate) storage: Storage,
    pub(crate) jobs: Jobs,
    pub(crate) mail: Mail,
}

impl App {
    pub(crate) fn new(
        http: &reqwest::Client,
        upstreams: &Upstreams,
        folder: &Path,
        story: &Story,
    ) -> std::io::Result<Arc<Self>> {
        let remote = |url| Remote::new(http, url);
        let storage = remote(upstreams.storage.url());
        Ok(Arc::new(Self {
            accounts: Accounts::default(),
            payments: Payments::new(remote(upstreams.payments.url()))?,
            uploads: Uploads::default(),
            storage: Storage::new(storage, folder.join("uploads"), story)?,
            jobs: Jobs::new(Renderer::new(remote(upstreams.renderer.url()))),
            mail: Mail::new(remote(upstreams.mail.url())),
        }))
    }
}

/// Routes, then the monitor's, then the layers: what comes after a layer is outside of it.
pub(crate) fn router(
    app: Arc<App>,
    monitor: &Monitor<WithAdmin>,
    others: &Others,
) -> IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
    let reporters = FanOut::new()
        .reporter(monitor.clone())
        .reporter(others.clone());
    Router::new()
        .route("/accounts", post(accounts::register))
        .route("/accounts/sign-in", post(accounts::sign_in))
        .route("/accounts/me", get(accounts::me))
        .route("/checkout/sessions", post(payments::checkout))
        .route("/uploads", post(uploads::create))
        .route("/uploads/{id}", get(uploads::read_one))
        .route("/jobs", post(jobs::create))
        .route("/jobs/{id}", get(jobs::read))
        .route("/jobs/{id}/video", get(jobs::video))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(from_fn_with_state(others.clone(), others::count))
        .with_state(app)
        .merge(monitor.router())
        .layer(ErrorLayer::new().reporters(reporters))
        .layer(monitor.layer())
        // With addresses, so that the monitor can tell who guesses tokens from who does not.
        .into_make_service_with_connect_info::<SocketAddr>()
}

/// Who may look at the monitor, and who may act.
pub(crate) struct Tokens {
    pub(crate) operator: String,
    pub(crate) viewer: String,
}

/// Where alerts go, and what they are signed with.
pub(crate) struct Hook<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) secret: &'a str,
}

pub(crate) async fn monitor(
    folder: &Path,
    tokens: &Tokens,
    hook: Hook<'_>,
    http: &reqwest::Client,
    upstreams: &Upstreams,
) -> Result<Monitor<WithAdmin>, BuildError> {
    const MINUTE: Duration = Duration::from_secs(60);
    let mut builder = Monitor::builder()
        .sqlite(folder.join("errors.db"))
        .instance("media")
        .token(&tokens.operator)
        .viewer_token(&tokens.viewer)
        .budget(Budget::new("media", 0.99).min_requests(100))
        .budget(Budget::new("checkout", 0.95).route("/checkout/sessions"))
        .channel(Channel::webhook(
            "ops",
            format!("http://{}/alerts", hook.address),
            hook.secret,
        ))
        .trust_host(hook.address.to_string())
        .evaluate_every(Duration::from_millis(500))
        .alert(
            AlertRule::new("checkouts-fail", Condition::rate(0.05, MINUTE))
                .filter(|failures| failures.route = Some("/checkout/sessions".to_owned()))
                .severity(Severity::Critical),
        )
        .alert(AlertRule::new(
            "storage-circuit-open",
            Condition::BreakerOpen {
                service: Some("storage".to_owned()),
                longer_than: Duration::from_secs(1).into(),
            },
        ))
        .alert(
            AlertRule::new("new-kind-of-bug", Condition::new_code())
                .filter(|failures| failures.status = Some(500))
                .severity(Severity::Warning),
        )
        .alert(
            AlertRule::new("sign-ins-fail", Condition::count(500, MINUTE))
                .filter(|failures| failures.category = Some("security".to_owned()))
                .severity(Severity::Warning),
        );
    for upstream in upstreams.all() {
        let remote = Remote::new(http, upstream.url());
        let ask = move || {
            let remote = remote.clone();
            async move { remote.health().await }
        };
        // The breakers have the names of the servers, so both are one service on the dashboard.
        builder =
            builder.check(HealthCheck::new(upstream.name(), ask).cache(Duration::from_secs(2)));
    }
    builder.build().await
}

//! What the service depends on: four HTTP servers of their own, with switches to make them slow, flaky or dead.

mod servers;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use error_runtime::{ApiError, ErrorLayer, Violations};
use serde::{Deserialize, Serialize};

use crate::story::Story;

/// How a server behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct Switches {
    /// How long each answer takes besides.
    pub(crate) latency_ms: u64,
    /// The share of calls that fail.
    pub(crate) failure_rate: f64,
    /// Every call fails.
    pub(crate) outage: bool,
}

/// What `PUT /switches` changes; what is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    latency_ms: Option<u64>,
    failure_rate: Option<f64>,
    outage: Option<bool>,
}

#[derive(Debug, ApiError)]
enum SwitchError {
    #[api(status = 422, message = "no switch has such a position")]
    NoSuchPosition(#[api(violations)] Violations),
}

/// One of the servers.
#[derive(Clone)]
pub(crate) struct Upstream(Arc<Inner>);

struct Inner {
    name: &'static str,
    address: SocketAddr,
    switches: Mutex<Switches>,
    random: Mutex<fastrand::Rng>,
    calls: AtomicU64,
    story: Story,
}

/// All of them.
#[derive(Clone)]
pub(crate) struct Upstreams {
    pub(crate) payments: Upstream,
    pub(crate) storage: Upstream,
    pub(crate) mail: Upstream,
    pub(crate) renderer: Upstream,
}

impl Upstreams {
    /// Starts them on free ports. With the same seed each fails at the same of its calls.
    pub(crate) async fn start(seed: u64, usual: Switches, story: &Story) -> std::io::Result<Self> {
        let mut random = fastrand::Rng::with_seed(seed);
        let renderer = servers::renderer(random.fork());
        let mut start = |name, routes| Upstream::start(name, routes, usual, random.fork(), story);
        Ok(Self {
            payments: start("payments", servers::payments()).await?,
            storage: start("storage", servers::storage()).await?,
            mail: start("mail", servers::mail()).await?,
            renderer: start("renderer", renderer).await?,
        })
    }

    pub(crate) fn all(&self) -> [&Upstream; 4] {
        [&self.payments, &self.storage, &self.mail, &self.renderer]
    }
}

impl Upstream {
    async fn start(
        name: &'static str,
        routes: Router<Self>,
        switches: Switches,
        random: fastrand::Rng,
        story: &Story,
    ) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let upstream = Self(Arc::new(Inner {
            name,
            address: listener.local_addr()?,
            switches: Mutex::new(switches),
            random: Mutex::new(random),
            calls: AtomicU64::new(0),
            story: story.clone(),
        }));
        // Only the switches answer as we would; the rest says whatever it says.
        let switches = Router::new()
            .route("/switches", get(read).put(change))
            .layer(ErrorLayer::new().log(false));
        let app = routes
            .route("/health", get(|| async { "ok" }))
            .layer(from_fn_with_state(upstream.clone(), misbehave))
            .merge(switches)
            .with_state(upstream.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(upstream)
    }

    pub(crate) fn name(&self) -> &'static str {
        self.0.name
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    pub(crate) fn switches(&self) -> Switches {
        *self
            .0
            .switches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(
            &mut self
                .0
                .switches
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    /// How many calls have reached it, those to its switches apart.
    #[cfg(test)]
    pub(crate) fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    fn is_unlucky(&self, rate: f64) -> bool {
        let mut random = self.0.random.lock().unwrap_or_else(PoisonError::into_inner);
        random.f64() < rate
    }
}

/// Around everything but the switches.
async fn misbehave(State(upstream): State<Upstream>, request: Request, next: Next) -> Response {
    upstream.0.calls.fetch_add(1, Ordering::Relaxed);
    let switches = upstream.switches();
    // In an outage too, so that later calls have the same luck with or without one.
    let is_unlucky = upstream.is_unlucky(switches.failure_rate);
    if switches.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(switches.latency_ms)).await;
    }
    if switches.outage || is_unlucky {
        // What a proxy says whose machines are gone; none of it may reach a client of the service.
        let text = format!("no healthy machine at {}", upstream.0.address);
        return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    }
    next.run(request).await
}

async fn read(State(upstream): State<Upstream>) -> Json<Switches> {
    Json(upstream.switches())
}

async fn change(
    State(upstream): State<Upstream>,
    Json(change): Json<Change>,
) -> Result<Json<Switches>, SwitchError> {
    let mut violations = Violations::new();
    if change.latency_ms.is_some_and(|latency| latency > 60_000) {
        violations.add("latency_ms", "range", "must be at most 60000");
    }
    if change
        .failure_rate
        .is_some_and(|rate| !(0.0..=1.0).contains(&rate))
    {
        violations.add("failure_rate", "range", "must be from 0 to 1");
    }
    violations.into_result(SwitchError::NoSuchPosition)?;
    upstream.switch(|switches| {
        switches.latency_ms = change.latency_ms.unwrap_or(switches.latency_ms);
        switches.failure_rate = change.failure_rate.unwrap_or(switches.failure_rate);
        switches.outage = change.outage.unwrap_or(switches.outage);
    });
    let now = upstream.switches();
    upstream.0.story.say(format_args!(
        "{}: switched by hand to {} ms, failure rate {}, outage {}",
        upstream.0.name, now.latency_ms, now.failure_rate, now.outage
    ));
    Ok(Json(now))
}

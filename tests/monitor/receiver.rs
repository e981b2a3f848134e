//! Somebody who is told of alerts: a server on the loopback that keeps what it gets and answers as a test wants.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use error_monitor::{AlertRule, Channel, Condition, MonitorBuilder, WithAdmin};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::ops::{Served, until};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const OTHER_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// Longer than any pause after a first failure, which is by the test's clock.
pub(crate) const PAUSE: u64 = 6_000;
/// Longer than the time for which one process leads without a sign of life.
pub(crate) const LEASE: u64 = 11_000;

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn minutes(minutes: u64) -> Duration {
    seconds(60 * minutes)
}

pub(crate) const fn a_day() -> Duration {
    seconds(24 * 3600)
}

/// What a receiver does with a request.
pub(crate) enum Reply {
    Status(u16),
    With(u16, Vec<(&'static str, String)>, String),
    /// It never answers.
    Hang,
}

#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// It was taken: the answer was a 2xx.
    pub(crate) taken: bool,
}

impl Hit {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

pub(crate) type Policy = Box<dyn FnMut(&Hit, usize) -> Reply + Send>;

/// Somebody who is told.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    pub(crate) hits: Arc<Mutex<Vec<Hit>>>,
    pub(crate) policy: Arc<Mutex<Policy>>,
    pub(crate) serving: tokio::task::JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub(crate) type Receiving = (Arc<Mutex<Vec<Hit>>>, Arc<Mutex<Policy>>);

pub(crate) async fn receive(
    State((hits, policy)): State<Receiving>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut hit = Hit {
        path: uri.to_string(),
        headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
        taken: false,
    };
    let reply = {
        let mut hits = hits.lock().unwrap();
        let reply = policy.lock().unwrap()(&hit, hits.len());
        hit.taken = matches!(reply, Reply::Status(200..=299) | Reply::With(200..=299, ..));
        hits.push(hit);
        reply
    };
    match reply {
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::With(status, headers, body) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Reply::Hang => std::future::pending().await,
    }
}

impl Receiver {
    /// `policy` is asked with the request and the number of those before it.
    pub(crate) async fn start(policy: impl FnMut(&Hit, usize) -> Reply + Send + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), policy)
    }

    pub(crate) async fn willing() -> Self {
        Self::start(|_, _| Reply::Status(200)).await
    }

    pub(crate) fn on(
        listener: TcpListener,
        policy: impl FnMut(&Hit, usize) -> Reply + Send + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let hits = Arc::new(Mutex::new(Vec::new()));
        let policy: Arc<Mutex<Policy>> = Arc::new(Mutex::new(Box::new(policy)));
        let app = axum::Router::new()
            .fallback(receive)
            .with_state((Arc::clone(&hits), Arc::clone(&policy)));
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            address,
            hits,
            policy,
            serving,
        }
    }

    pub(crate) fn answer(&self, policy: impl FnMut(&Hit, usize) -> Reply + Send + 'static) {
        *self.policy.lock().unwrap() = Box::new(policy);
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// As a signed webhook.
    pub(crate) fn webhook(&self, name: &str) -> Channel {
        Channel::webhook(name, self.url("/hook"), SECRET)
    }

    pub(crate) fn hits(&self) -> Vec<Hit> {
        self.hits.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.hits.lock().unwrap().len()
    }

    /// Of a webhook: what it has taken, as event, rule and group.
    pub(crate) fn told(&self) -> Vec<(String, String, String)> {
        let taken = self.hits().into_iter().filter(|hit| hit.taken);
        taken
            .map(|hit| {
                let body = hit.json();
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                (
                    text(&body["type"]).replace("alert.", ""),
                    text(&body["data"]["rule"]),
                    text(&body["data"]["group"]),
                )
            })
            .collect()
    }

    /// Of a webhook: the events of one rule that it has taken.
    pub(crate) fn events(&self, rule: &str) -> Vec<String> {
        let told = self.told().into_iter();
        told.filter(|(_, of, _)| of == rule)
            .map(|(event, ..)| event)
            .collect()
    }

    pub(crate) async fn has(&self, count: usize) {
        until("the receiver is told", || async { self.count() >= count }).await;
    }
}

/// A rule that never holds, and for which each process gives a sign of life with each look: by that a test sees
/// that everything was looked at.
pub(crate) fn pulse() -> AlertRule {
    let when = Condition::BreakerOpen {
        service: Some("nobody-is-called-so".to_owned()),
        longer_than: minutes(5).into(),
    };
    AlertRule::new("pulse", when)
}

pub(crate) fn trusting(
    builder: MonitorBuilder<WithAdmin>,
    receivers: &[&Receiver],
) -> MonitorBuilder<WithAdmin> {
    let builder = builder.alert(pulse());
    receivers
        .iter()
        .fold(builder, |builder, one| builder.trust_host(one.host()))
}

/// How many failures of anything in a day: it lasts.
pub(crate) fn lasting(name: &str) -> AlertRule {
    // Said once: a look that begins before a test moves the clock by days may end after it, and find that it is
    // time to say it again.
    AlertRule::new(name, Condition::count(1, a_day())).repeat(30 * a_day())
}

pub(crate) async fn waiting(served: &Served) -> u64 {
    served.get("alerts").await["waiting"].as_u64().unwrap()
}

/// Every alert as rule, group and phase.
pub(crate) async fn phases(served: &Served) -> Vec<(String, String, String)> {
    let all = served.get("alerts").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = all["alerts"].as_array().unwrap().iter();
    all.map(|one| (text(&one["rule"]), text(&one["group"]), text(&one["phase"])))
        .collect()
}

pub(crate) fn triples(all: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    let own = |text: &str| text.to_owned();
    all.iter()
        .map(|(a, b, c)| (own(a), own(b), own(c)))
        .collect()
}

//! Who is told: a receiver of webhooks, as a chat or a pager would have one. It believes what is signed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use error_runtime::{ApiError, ErrorLayer};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;

use crate::story::Story;

#[derive(Debug, ApiError)]
enum HookError {
    #[api(
        status = 401,
        message = "the signature is not ours",
        category = "security"
    )]
    Signature,
    #[api(status = 400, message = "this is no alert")]
    Malformed(#[from] serde_json::Error),
}

/// What has come. Copies are one.
#[derive(Clone)]
pub(crate) struct Receiver(Arc<Inner>);

struct Inner {
    key: Vec<u8>,
    received: AtomicU64,
    refused: AtomicU64,
    story: Story,
}

#[derive(Deserialize)]
struct Alert {
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    rule: String,
    severity: String,
    summary: String,
}

impl Receiver {
    /// Starts it on a free port. The monitor has the same key.
    pub(crate) async fn start(key: Vec<u8>, story: &Story) -> std::io::Result<(Self, SocketAddr)> {
        let receiver = Self(Arc::new(Inner {
            key,
            received: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            story: story.clone(),
        }));
        let app = Router::new()
            .route("/alerts", post(take))
            .with_state(receiver.clone())
            .layer(ErrorLayer::new());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok((receiver, address))
    }

    /// How many alerts were received, and how many were refused.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (count(&self.0.received), count(&self.0.refused))
    }
}

/// The key as the monitor is told it.
pub(crate) fn secret(key: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(key))
}

async fn take(
    State(receiver): State<Receiver>,
    headers: HeaderMap,
    body: String,
) -> Result<StatusCode, HookError> {
    let Inner { key, story, .. } = &*receiver.0;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH);
    if !is_signed(key, &headers, &body, seconds.unwrap_or_default()) {
        receiver.0.refused.fetch_add(1, Ordering::Relaxed);
        return Err(HookError::Signature);
    }
    let alert: Alert = serde_json::from_str(&body)?;
    receiver.0.received.fetch_add(1, Ordering::Relaxed);
    let Data {
        rule,
        severity,
        summary,
    } = alert.data;
    match &*alert.kind {
        "alert.resolved" => story.say(format_args!("alert over: {rule}")),
        _ => story.say(format_args!("alert: {rule} ({severity}): {summary}")),
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Standard Webhooks: HMAC-SHA-256 over id, time and body, not older than five minutes.
pub(crate) fn is_signed(key: &[u8], headers: &HeaderMap, body: &str, now: Duration) -> bool {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(id), Some(time), Some(signatures)) = (
        header("webhook-id"),
        header("webhook-timestamp"),
        header("webhook-signature"),
    ) else {
        return false;
    };
    let is_fresh = time
        .parse::<u64>()
        .is_ok_and(|time| time.abs_diff(now.as_secs()) <= 300);
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return false;
    };
    mac.update(format!("{id}.{time}.{body}").as_bytes());
    // Several while a key takes the place of another; compared in constant time.
    let is_ours = |signature: &str| {
        let bytes = signature.strip_prefix("v1,");
        let bytes = bytes.and_then(|text| STANDARD.decode(text).ok());
        bytes.is_some_and(|bytes| mac.clone().verify_slice(&bytes).is_ok())
    };
    is_fresh && signatures.split(' ').any(is_ours)
}

//! The renderer: it may be busy, slow or broken.

use std::time::Duration;

use axum::http::header;
use error_runtime::{ApiError, Rejected, circuit_breaker, retry, timeout};
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinError;

use crate::remote::Remote;

/// What the policies read, and the log.
#[derive(Debug, ApiError)]
#[api(domain = "jobs", prefix = "RENDERER")]
pub(crate) enum RenderError {
    /// Out of machines: it may have one in a moment.
    #[api(status = 503, display = "the renderer has no machine free")]
    NoResources {
        #[api(retry_after)]
        wait: Option<Duration>,
    },
    /// It did its work, and found the video unfit: no mark against it. What it says is for the log.
    #[api(status = 500, display = "the renderer: {text}", breaker = "ok")]
    Unfit { text: String },
    #[api(status = 502, display = "the renderer cannot be reached")]
    Unreachable(#[from] reqwest::Error),
    /// A mistake of ours.
    #[api(status = 500, display = "the job panicked")]
    Panicked(#[from] JoinError),
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

pub(crate) struct Renderer(Remote);

#[derive(Deserialize)]
struct Rendered {
    video: String,
}

impl Renderer {
    pub(crate) const fn new(server: Remote) -> Self {
        Self(server)
    }

    #[retry(attempts = 3, base = "50ms", max = "500ms", operation = "jobs.render")]
    #[circuit_breaker(
        service = "renderer",
        failure_rate = 0.6,
        window = 20,
        recovery = "2s",
        half_open = 2
    )]
    #[timeout("600ms")]
    pub(crate) async fn render(&self, upload: u64, effect: &str) -> Result<String, RenderError> {
        let body = json!({ "upload": upload, "effect": effect });
        let answer = self.0.post("/renders", &body).await?;
        match answer.status().as_u16() {
            200..=299 => Ok(answer.json::<Rendered>().await?.video),
            422 => {
                let text = answer.text().await?;
                Err(RenderError::Unfit { text })
            }
            _ => {
                let wait = answer.headers().get(header::RETRY_AFTER);
                let wait = wait.and_then(|wait| wait.to_str().ok()?.parse().ok());
                let wait = wait.map(Duration::from_secs);
                Err(RenderError::NoResources { wait })
            }
        }
    }
}

//! What the four servers do when they are well.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::Upstream;
use crate::newest::MOST_KEPT;

#[derive(Deserialize)]
struct NewSession {
    card: String,
    idempotency_key: String,
}

/// Declines cards that end in 0002; one key gives one session, however often it is asked, since the session is
/// made of the key.
pub(super) fn payments() -> Router<Upstream> {
    let create = |Json(new): Json<NewSession>| async move {
        if new.card.ends_with("0002") {
            let reason = json!({ "reason": "insufficient_funds" });
            return (StatusCode::PAYMENT_REQUIRED, Json(reason));
        }
        let session = json!({ "id": format!("cs_{}", new.idempotency_key) });
        (StatusCode::OK, Json(session))
    };
    Router::new().route("/sessions", post(create))
}

type Objects = Arc<Mutex<BTreeMap<u64, usize>>>;

/// Takes objects, and keeps how large the newest are.
pub(super) fn storage() -> Router<Upstream> {
    let objects = Objects::default();
    let write = |State(objects): State<Objects>, Path(id): Path<u64>, body: Bytes| async move {
        let mut objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.insert(id, body.len());
        if objects.len() > MOST_KEPT {
            objects.pop_first();
        }
        StatusCode::CREATED
    };
    let read = |State(objects): State<Objects>, Path(id): Path<u64>| async move {
        let objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
        let size = objects.get(&id).ok_or(StatusCode::NOT_FOUND)?;
        Ok::<_, StatusCode>(Json(json!({ "size": size })))
    };
    Router::new().route("/objects/{id}", put(write).get(read).with_state(objects))
}

/// Takes messages.
pub(super) fn mail() -> Router<Upstream> {
    Router::new().route("/messages", post(|| async { StatusCode::ACCEPTED }))
}

#[derive(Deserialize)]
struct Render {
    effect: String,
}

/// Has no machine free for one in twenty; `endless` takes longer than anybody waits, and `broken` breaks it.
pub(super) fn renderer(random: fastrand::Rng) -> Router<Upstream> {
    let random = Arc::new(Mutex::new(random));
    let render = |Json(render): Json<Render>| async move {
        let busy = {
            let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
            random.u8(..20) == 0
        };
        match &*render.effect {
            "broken" => no_video(),
            "endless" => {
                tokio::time::sleep(Duration::from_secs(30)).await;
                no_video()
            }
            _ if busy => {
                let wait = [(header::RETRY_AFTER, "0")];
                (StatusCode::SERVICE_UNAVAILABLE, wait).into_response()
            }
            effect => Json(json!({ "video": format!("{effect}.mp4") })).into_response(),
        }
    };
    Router::new().route("/renders", post(render))
}

fn no_video() -> Response {
    let text = "ffmpeg exited with 187: moov atom not found in /mnt/render-7/in.mp4";
    (StatusCode::UNPROCESSABLE_ENTITY, text).into_response()
}

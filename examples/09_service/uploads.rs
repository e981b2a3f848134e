//! Uploads: what is taken, how large it may be, and where it is.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use error_runtime::{AnyError, ApiError, ResultExt as _, Violations};
use serde::Serialize;

use crate::accounts::{AccountId, SignedIn};
use crate::app::App;
use crate::newest::Newest;
use crate::storage::Place;

#[derive(Debug, ApiError)]
#[api(domain = "uploads", prefix = "UPLOAD")]
pub(crate) enum UploadError {
    #[api(status = 404, message = "upload {id} not found", details)]
    NotFound { id: u64 },
    #[api(
        status = 413,
        message = "an upload has at most {max_bytes} bytes",
        details
    )]
    TooLarge { max_bytes: usize },
    #[api(
        status = 415,
        message = "only images and videos of these types are taken",
        details
    )]
    WrongType { supported: &'static [&'static str] },
    #[api(status = 422, message = "there is nothing in it")]
    Empty(#[api(violations)] Violations),
}

/// Small, as an example's are.
pub(crate) const MAX_BYTES: usize = 64 * 1024;
/// So much more is read and thrown away before the answer: a client that is still sending would not see one.
const MAX_IGNORED: usize = 16 * 1024 * 1024;
const TYPES: &[&str] = &["image/jpeg", "image/png", "video/mp4"];

/// An upload, as clients see it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Upload {
    id: u64,
    #[serde(skip)]
    owner: AccountId,
    bytes: usize,
    #[serde(rename = "type")]
    media_type: &'static str,
    /// `local` until the object storage has it.
    stored: Place,
}

/// What is known of the newest uploads, in memory.
#[derive(Default)]
pub(crate) struct Uploads {
    last: AtomicU64,
    all: Mutex<Newest<u64, Upload>>,
}

impl Uploads {
    fn all(&self) -> MutexGuard<'_, Newest<u64, Upload>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of this account. Of another's nobody learns that it is there.
    pub(crate) fn get(&self, id: u64, account: AccountId) -> Option<Upload> {
        let all = self.all();
        all.get(&id)
            .filter(|upload| upload.owner == account)
            .cloned()
    }

    pub(crate) fn moved(&self, id: u64) {
        if let Some(upload) = self.all().get_mut(&id) {
            upload.stored = Place::ObjectStorage;
        }
    }
}

/// How many are in the object storage, and how many on the local disk: of all that there were.
pub(crate) fn counts(app: &App) -> (usize, usize) {
    let local = app.storage.waiting().len();
    (app.uploads.all().total() - local, local)
}

/// `POST /uploads`.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    account: SignedIn,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Upload>), AnyError> {
    let media_type = headers.get(header::CONTENT_TYPE);
    let media_type = TYPES
        .iter()
        .find(|known| media_type.is_some_and(|given| given == **known));
    let content = read(body).await?;
    let media_type = media_type.ok_or(UploadError::WrongType { supported: TYPES })?;
    if content.is_empty() {
        let mut violations = Violations::new();
        violations.add("", "empty", "must have a byte or more");
        return Err(UploadError::Empty(violations).into());
    }
    let id = app.uploads.last.fetch_add(1, Ordering::Relaxed) + 1;
    // It does not fail for want of the object storage.
    let stored = app.storage.put(id, &content).await?;
    let upload = Upload {
        id,
        owner: account.id,
        bytes: content.len(),
        media_type,
        stored,
    };
    app.uploads.all().insert(id, upload.clone());
    if stored == Place::Local {
        // Only now: what moves it must find it.
        app.storage.waits(id);
    }
    Ok((StatusCode::CREATED, Json(upload)))
}

/// All of a body, or what is wrong with it. Of one that is too large the rest is read all the same.
async fn read(mut body: Body) -> Result<Bytes, AnyError> {
    let (mut content, mut length) = (Vec::new(), 0);
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.or_status(
            StatusCode::BAD_REQUEST,
            "UPLOAD_BROKEN_OFF",
            "the body broke off",
        )?;
        let data = frame.into_data().unwrap_or_default();
        length += data.len();
        if length <= MAX_BYTES {
            content.extend_from_slice(&data);
        } else if length > MAX_IGNORED {
            break;
        }
    }
    if length > MAX_BYTES {
        let max_bytes = MAX_BYTES;
        return Err(UploadError::TooLarge { max_bytes }.into());
    }
    Ok(content.into())
}

/// `GET /uploads/{id}`.
pub(crate) async fn read_one(
    State(app): State<Arc<App>>,
    account: SignedIn,
    Path(id): Path<u64>,
) -> Result<Json<Upload>, UploadError> {
    app.uploads
        .get(id, account.id)
        .map(Json)
        .ok_or(UploadError::NotFound { id })
}

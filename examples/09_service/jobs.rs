//! Rendering jobs: a queue with an end, and workers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use error_monitor::log_performance_metric;
use error_runtime::{ApiError, Rejected, RequestContext, Violations};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::accounts::{AccountId, SignedIn};
use crate::app::App;
use crate::newest::Newest;
use crate::renderer::{RenderError, Renderer};
use crate::stop::Stop;

/// What clients read.
#[derive(Debug, ApiError)]
#[api(domain = "jobs", prefix = "JOB")]
pub(crate) enum JobError {
    #[api(status = 404, message = "job {id} not found", details)]
    NotFound { id: u64 },
    #[api(status = 422, message = "the job cannot be made from this")]
    Invalid(#[api(violations)] Violations),
    #[api(
        status = 409,
        retryable,
        retry_after = "1s",
        message = "job {id} is {state}",
        details
    )]
    NotReady { id: u64, state: &'static str },
    #[api(
        status = 503,
        retry_after = "2s",
        message = "there are too many jobs now"
    )]
    QueueFull,
    /// The renderer could not make a video of it, and never will.
    #[api(
        status = 500,
        code = "RENDERING_FAILED",
        display = "the rendering failed"
    )]
    Failed(#[source] Arc<RenderError>),
    #[api(
        status = 504,
        code = "RENDERING_TIMED_OUT",
        message = "the rendering took too long",
        display = "the rendering took too long"
    )]
    TimedOut(#[source] Arc<RenderError>),
    #[api(
        status = 503,
        code = "RENDERER_UNAVAILABLE",
        retry_after = "5s",
        message = "nothing can be rendered now; make a new job later",
        display = "the renderer is not available"
    )]
    Unavailable(#[source] Arc<RenderError>),
}

impl JobError {
    fn of(error: Arc<RenderError>) -> Self {
        match *error {
            RenderError::Unfit { .. } | RenderError::Panicked(_) => Self::Failed(error),
            RenderError::Rejected(Rejected::Timeout) => Self::TimedOut(error),
            _ => Self::Unavailable(error),
        }
    }
}

#[derive(Clone)]
enum Progress {
    Queued,
    Rendering,
    Done { video: String },
    Failed(Arc<RenderError>),
}

#[derive(Clone)]
struct Job {
    owner: AccountId,
    upload: u64,
    effect: String,
    state: Progress,
    /// The request that made it: the renderer and the log get its id.
    context: Option<RequestContext>,
}

pub(crate) struct Jobs {
    renderer: Arc<Renderer>,
    last: AtomicU64,
    /// The newest.
    all: Mutex<Newest<u64, Job>>,
    queue: mpsc::Sender<u64>,
    waiting: tokio::sync::Mutex<mpsc::Receiver<u64>>,
}

impl Jobs {
    pub(crate) fn new(renderer: Renderer) -> Self {
        let (queue, waiting) = mpsc::channel(64);
        Self {
            renderer: Arc::new(renderer),
            last: AtomicU64::new(0),
            all: Mutex::default(),
            queue,
            waiting: waiting.into(),
        }
    }

    fn all(&self) -> MutexGuard<'_, Newest<u64, Job>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a job of this account is. Of another's nobody learns that it is there.
    fn state(&self, id: u64, account: AccountId) -> Result<Progress, JobError> {
        let all = self.all();
        let job = all.get(&id).filter(|job| job.owner == account);
        job.map(|job| job.state.clone())
            .ok_or(JobError::NotFound { id })
    }

    fn set(&self, id: u64, state: Progress) {
        if let Some(job) = self.all().get_mut(&id) {
            job.state = state;
        }
    }

    /// Works on one job to its end.
    pub(crate) async fn work_on(&self, id: u64) {
        let Some(job) = self.all().get(&id).cloned() else {
            return;
        };
        let renderer = Arc::clone(&self.renderer);
        self.carry_out(id, async move {
            let rendering = renderer.render(job.upload, &job.effect);
            match &job.context {
                Some(context) => context.scope(rendering).await,
                None => rendering.await,
            }
        })
        .await;
    }

    /// In a task of its own: a panic is the failure of this job, and its worker takes the next.
    pub(crate) async fn carry_out(
        &self,
        id: u64,
        rendering: impl Future<Output = Result<String, RenderError>> + Send + 'static,
    ) {
        self.set(id, Progress::Rendering);
        let begun = Instant::now();
        let rendered = tokio::spawn(rendering).await;
        let rendered = rendered.unwrap_or_else(|panic| Err(panic.into()));
        log_performance_metric!("render_seconds", begun.elapsed().as_secs_f64(), job = id);
        self.set(
            id,
            match rendered {
                Ok(video) => Progress::Done { video },
                Err(error) => {
                    tracing::warn!(job = id, %error, "a job failed");
                    Progress::Failed(Arc::new(error))
                }
            },
        );
    }

    /// The next job of the queue.
    pub(crate) async fn next(&self) -> Option<u64> {
        self.waiting.lock().await.recv().await
    }
}

/// Takes jobs from the queue. Several of them work side by side.
pub(crate) async fn worker(app: Arc<App>, mut stop: Stop) {
    while let Some(Some(id)) = stop.or(app.jobs.next()).await {
        app.jobs.work_on(id).await;
    }
}

#[derive(Deserialize)]
pub(crate) struct NewJob {
    upload: u64,
    effect: String,
}

/// `POST /jobs`.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    account: SignedIn,
    Json(new): Json<NewJob>,
) -> Result<(StatusCode, Json<Value>), JobError> {
    let mut violations = Violations::new();
    if app.uploads.get(new.upload, account.id).is_none() {
        violations.add("upload", "unknown", "there is no such upload");
    }
    if new.effect.is_empty() || new.effect.len() > 40 {
        violations.add("effect", "length", "must have 1 to 40 bytes");
    }
    violations.into_result(JobError::Invalid)?;
    let jobs = &app.jobs;
    let place = jobs.queue.try_reserve().map_err(|_| JobError::QueueFull)?;
    let id = jobs.last.fetch_add(1, Ordering::Relaxed) + 1;
    let job = Job {
        owner: account.id,
        upload: new.upload,
        effect: new.effect,
        state: Progress::Queued,
        context: RequestContext::current(),
    };
    jobs.all().insert(id, job);
    place.send(id);
    Ok((
        StatusCode::ACCEPTED,
        Json(json!({ "id": id, "state": "queued" })),
    ))
}

/// `GET /jobs/{id}`: how it is. That a job failed is no failure of this request.
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    account: SignedIn,
    Path(id): Path<u64>,
) -> Result<Json<Value>, JobError> {
    Ok(Json(match app.jobs.state(id, account.id)? {
        Progress::Queued => json!({ "id": id, "state": "queued" }),
        Progress::Rendering => json!({ "id": id, "state": "rendering" }),
        Progress::Done { .. } => json!({ "id": id, "state": "done" }),
        Progress::Failed(error) => {
            let error = JobError::of(error);
            let error = json!({ "code": error.code(), "message": error.message() });
            json!({ "id": id, "state": "failed", "error": error })
        }
    }))
}

/// `GET /jobs/{id}/video`: the result, or why there is none.
pub(crate) async fn video(
    State(app): State<Arc<App>>,
    account: SignedIn,
    Path(id): Path<u64>,
) -> Result<Json<Value>, JobError> {
    match app.jobs.state(id, account.id)? {
        Progress::Queued => Err(JobError::NotReady {
            id,
            state: "queued",
        }),
        Progress::Rendering => Err(JobError::NotReady {
            id,
            state: "rendering",
        }),
        Progress::Done { video } => Ok(Json(json!({ "video": video }))),
        Progress::Failed(error) => Err(JobError::of(error)),
    }
}

//! Rendering jobs.

use serde_json::{Value, json};

use super::{Answer as _, OUTAGE, Service, VIEWER};

impl Service {
    /// Makes a job, works on it to its end, and says how it is.
    async fn rendered(&self, effect: &str) -> (Value, reqwest::Response) {
        let request = self.request(axum::http::Method::POST, "/uploads");
        let request = request.header("content-type", "video/mp4").body("video");
        let upload = request.send().await.unwrap().is(201).await;
        let job = json!({ "upload": upload["id"], "effect": effect });
        let job = self.post("/jobs", &job).await.is(202).await;
        assert_eq!(job["state"], "queued");
        let path = format!("/jobs/{}", job["id"]);
        let early = self.get(&format!("{path}/video")).await;
        early.fails(409, "JOB_NOT_READY").await;

        let next = self.app.jobs.next().await.unwrap();
        assert_eq!(json!(next), job["id"]);
        self.app.jobs.work_on(next).await;
        let job = self.get(&path).await.is(200).await;
        (job, self.get(&format!("{path}/video")).await)
    }
}

#[tokio::test]
async fn a_job_ends_with_a_video() {
    let service = Service::start().await;
    let (job, video) = service.rendered("aurora").await;
    assert_eq!(job, json!({ "id": 1, "state": "done" }));
    assert_eq!(video.is(200).await["video"], "aurora.mp4");
}

#[tokio::test]
async fn a_job_of_somebody_else_is_as_one_that_is_not_there() {
    let mut service = Service::start().await;
    service.rendered("aurora").await;
    service.join("bob@example.com").await;
    for path in ["/jobs/1", "/jobs/1/video", "/jobs/2", "/jobs/2/video"] {
        service.get(path).await.fails(404, "JOB_NOT_FOUND").await;
    }
}

#[tokio::test]
async fn a_panic_is_the_failure_of_its_job() {
    let service = Service::start().await;
    service.rendered("aurora").await;
    let panicking = async { panic!("a mistake") };
    service.app.jobs.carry_out(1, panicking).await;
    let job = service.get("/jobs/1").await.is(200).await;
    assert_eq!(
        (&job["state"], &job["error"]["code"]),
        (&json!("failed"), &json!("RENDERING_FAILED"))
    );
    let video = service.get("/jobs/1/video").await;
    let error = video.fails(500, "RENDERING_FAILED").await;
    assert!(!error.to_string().contains("a mistake"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_rendered_is_tried_once_and_its_reason_stays_inside() {
    let service = Service::start().await;
    let (job, video) = service.rendered("broken").await;
    assert_eq!(job["error"]["code"], "RENDERING_FAILED");
    let error = video.fails(500, "RENDERING_FAILED").await;
    assert_eq!(error["message"], "An unexpected error occurred");
    assert_eq!(service.upstreams.renderer.calls(), 1);
    // It is for those who look at the monitor.
    assert!(service.monitor.flush().await);
    let recent = "/admin/api/monitoring/logs/recent-errors?code=RENDERING_FAILED";
    let recent = service.http.get(format!("{}{recent}", service.url));
    let recent = recent.bearer_auth(VIEWER).send().await.unwrap();
    let recent = recent.is(200).await["errors"][0]["chain"][0].to_string();
    assert!(recent.contains("ffmpeg exited with 187"), "{recent}");
}

#[tokio::test]
async fn a_renderer_that_takes_too_long_is_a_time_out() {
    let service = Service::start().await;
    let (job, video) = service.rendered("endless").await;
    assert_eq!(job["state"], "failed");
    video.fails(504, "RENDERING_TIMED_OUT").await;
    assert_eq!(service.upstreams.renderer.calls(), 3);
}

#[tokio::test]
async fn a_renderer_without_machines_is_asked_again() {
    let service = Service::start().await;
    service.upstreams.renderer.switch(|now| *now = OUTAGE);
    let (_, video) = service.rendered("aurora").await;
    video.fails(503, "RENDERER_UNAVAILABLE").await;
    assert_eq!(service.upstreams.renderer.calls(), 3);
}

#[tokio::test]
async fn a_job_is_of_an_upload_that_there_is_and_the_queue_has_an_end() {
    let service = Service::start().await;
    let nothing = json!({ "upload": 99, "effect": "" });
    let error = service.post("/jobs", &nothing).await;
    let error = error.fails(422, "JOB_INVALID").await;
    assert_eq!(error["details"]["errors"][1]["pointer"], "/effect");
    service
        .get("/jobs/99")
        .await
        .fails(404, "JOB_NOT_FOUND")
        .await;

    let (job, _) = service.rendered("aurora").await;
    let job = json!({ "upload": job["id"], "effect": "aurora" });
    for _ in 0..64 {
        service.post("/jobs", &job).await.is(202).await;
    }
    let full = service.post("/jobs", &job).await;
    assert_eq!(full.headers()["retry-after"], "2");
    full.fails(503, "JOB_QUEUE_FULL").await;
}

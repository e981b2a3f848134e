//! The service as its clients know it, with the servers behind it as they are switched.

mod accounts;
mod bounds;
mod jobs;
mod payments;
mod summary;
mod uploads;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use error_runtime::Breakers;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use crate::app::{self, App, Hook, Tokens};
use crate::others::Others;
use crate::story::Story;
use crate::upstreams::{Switches, Upstreams};

/// The service on a port of its own, and somebody who has signed in.
struct Service {
    app: Arc<App>,
    upstreams: Upstreams,
    http: reqwest::Client,
    url: String,
    token: String,
    others: Others,
    monitor: error_monitor::Monitor<error_monitor::WithAdmin>,
    folder: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

const OUTAGE: Switches = Switches {
    latency_ms: 0,
    failure_rate: 0.0,
    outage: true,
};
const PASSWORD: &str = "correct horse battery";
const VIEWER: &str = "only-to-look-around";

impl Service {
    async fn start() -> Self {
        // Breakers belong to the process: one test at a time, and each begins with closed circuits.
        static TURN: Mutex<()> = Mutex::const_new(());
        let turn = TURN.lock().await;
        Breakers::global().reset_all();

        let folder = tempfile::tempdir().unwrap();
        let http = reqwest::Client::new();
        let story = Story::untold();
        let upstreams = Upstreams::start(1, Switches::default(), &story)
            .await
            .unwrap();
        let tokens = Tokens {
            operator: "an-operators-token".to_owned(),
            viewer: VIEWER.to_owned(),
        };
        let hook = Hook {
            address: SocketAddr::from(([127, 0, 0, 1], 9)),
            secret: &crate::alerts::secret(&[7; 32]),
        };
        let monitor = app::monitor(folder.path(), &tokens, hook, &http, &upstreams)
            .await
            .unwrap();
        let app = App::new(&http, &upstreams, folder.path(), &story).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let others = Others::default();
        let router = app::router(Arc::clone(&app), &monitor, &others);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut service = Self {
            app,
            upstreams,
            http,
            url,
            token: String::new(),
            others,
            monitor,
            folder,
            _turn: turn,
        };
        service.join("ada@example.com").await;
        service
    }

    /// From here on requests are of a new account.
    async fn join(&mut self, email: &str) {
        let account = json!({ "email": email, "password": PASSWORD });
        self.post("/accounts", &account).await.is(201).await;
        let signed_in = self.post("/accounts/sign-in", &account).await;
        self.token = signed_in.is(200).await["token"]
            .as_str()
            .unwrap()
            .to_owned();
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        request.bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.request(Method::POST, path).json(body);
        request.send().await.unwrap()
    }
}

/// What tests ask of an answer.
trait Answer {
    /// A success with this status; its body.
    async fn is(self, status: u16) -> Value;

    /// A failure with this status and code; the error in its envelope.
    async fn fails(self, status: u16, code: &str) -> Value;
}

impl Answer for Response {
    async fn is(self, status: u16) -> Value {
        let (is, body) = (self.status(), self.text().await.unwrap());
        assert_eq!(is, status, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    async fn fails(self, status: u16, code: &str) -> Value {
        let (is, text) = (self.status(), self.text().await.unwrap());
        let body: Value = serde_json::from_str(&text).unwrap();
        let error = &body["error"];
        assert_eq!(
            (is.as_u16(), &error["code"]),
            (status, &json!(code)),
            "{text}"
        );
        assert!(error["request_id"].is_string(), "{text}");
        // Of what stands behind, nothing: addresses, paths, programs, what was sent in confidence.
        for internal in [
            "127.0.0.1",
            "machine",
            "ffmpeg",
            "/mnt",
            "0002",
            PASSWORD,
            "reqwest",
        ] {
            assert!(!text.contains(internal), "{internal} in {text}");
        }
        error.clone()
    }
}

#[tokio::test]
async fn what_the_framework_refuses_has_the_same_shape() {
    let service = Service::start().await;
    service.get("/nowhere").await.fails(404, "NOT_FOUND").await;
    let deleted = service
        .request(Method::DELETE, "/jobs")
        .send()
        .await
        .unwrap();
    assert!(deleted.headers().contains_key("allow"));
    deleted.fails(405, "METHOD_NOT_ALLOWED").await;
    let broken = service.request(Method::POST, "/jobs").body("{\"upload\":");
    let broken = broken.header("content-type", "application/json");
    broken.send().await.unwrap().fails(400, "BAD_REQUEST").await;
    let text = service.request(Method::POST, "/jobs").body("{}");
    text.send()
        .await
        .unwrap()
        .fails(415, "UNSUPPORTED_MEDIA_TYPE")
        .await;
    let incomplete = service.post("/jobs", &json!({})).await;
    incomplete.fails(422, "VALIDATION_ERROR").await;
}

#[tokio::test]
async fn the_monitor_is_for_those_who_have_signed_in() {
    let service = Service::start().await;
    let stats = "/admin/api/monitoring/errors/stats";
    service.get(stats).await.fails(401, "NOT_SIGNED_IN").await;
    let viewer = service.http.get(format!("{}{stats}", service.url));
    viewer
        .bearer_auth(VIEWER)
        .send()
        .await
        .unwrap()
        .is(200)
        .await;
    let reset = format!(
        "{}/admin/api/monitoring/circuit-breakers/reset-all",
        service.url
    );
    let reset = service.http.post(reset).bearer_auth(VIEWER);
    assert_eq!(reset.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn switches_say_which_position_they_do_not_have() {
    let service = Service::start().await;
    let storage = &service.upstreams.storage;
    let switch = |change| {
        let request = service.http.put(format!("{}/switches", storage.url()));
        request.json(&change).send()
    };
    let refused = switch(json!({ "failure_rate": 1.5 })).await.unwrap();
    let error = refused.fails(422, "NO_SUCH_POSITION").await;
    assert_eq!(error["details"]["errors"][0]["pointer"], "/failure_rate");
    assert_eq!(storage.switches(), Switches::default());
    let switched = switch(json!({ "outage": true })).await.unwrap();
    assert_eq!(switched.is(200).await["outage"], true);
    assert!(storage.switches().outage);
}

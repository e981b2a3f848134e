//! A service with its monitor: some requests fail, a breaker opens, somebody is told, and an operator looks and
//! acts. Everything is real: the server, the store (a file in a temporary folder), the receiver of the alert.
//!
//! ```sh
//! cargo run -p examples --example monitor            # by itself, a few seconds
//! cargo run -p examples --example monitor -- --stay  # then goes on, and says where to look
//! ```

use std::error::Error;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use error_monitor::{AlertRule, Budget, Channel, Condition, HealthCheck, Monitor, Severity};
use error_runtime::{ApiError, ErrorLayer, Rejected, circuit_breaker};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A secret of one's own would come from the environment.
const TOKEN: &str = "only-for-this-example";

#[derive(Debug, ApiError)]
#[api(domain = "shop")]
enum ShopError {
    /// There is no article of this number.
    #[api(status = 404, message = "article {id} not found", details)]
    NoSuchArticle { id: u64 },
    /// The payment provider does not answer.
    #[api(
        status = 503,
        message = "payments are not possible now",
        display = "the provider at 10.0.0.7 does not answer"
    )]
    Payments,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

async fn article(Path(id): Path<u64>) -> Result<String, ShopError> {
    if id < 10 {
        Ok(format!("article {id}"))
    } else {
        Err(ShopError::NoSuchArticle { id })
    }
}

#[circuit_breaker(service = "payments", failures = 5, recovery = "60s")]
async fn pay() -> Result<String, ShopError> {
    Err(ShopError::Payments)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let stay = std::env::args().any(|argument| argument == "--stay");
    let (receiver, mut alerts) = receiver().await?;
    let folder = std::env::temp_dir().join(format!("error-monitor-example-{}", std::process::id()));

    // The three lines: build it, mount its router, add its layer.
    let monitor = Monitor::builder()
        .sqlite(folder.join("errors.db"))
        .token(TOKEN)
        .check(HealthCheck::new("cache", || async {
            Err::<(), _>("connection refused")
        }))
        .budget(Budget::new("shop", 0.999).min_requests(10))
        .channel(Channel::webhook(
            "ops",
            format!("http://{receiver}/hook"),
            SECRET,
        ))
        .trust_host(receiver.clone())
        .alert(
            AlertRule::new(
                "payments-fail",
                Condition::count(5, Duration::from_secs(60)),
            )
            .severity(Severity::Critical),
        )
        .evaluate_every(Duration::from_millis(200))
        .build()
        .await?;
    let app = Router::new()
        .route("/articles/{id}", get(article))
        .route("/pay", post(pay))
        .merge(monitor.router())
        .layer(ErrorLayer::new().reporter(monitor.clone()))
        .layer(monitor.layer());

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let service = listener.local_addr()?.to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let client = Client {
        http: reqwest::Client::new(),
        service,
    };

    println!("== 20 requests: 6 for articles that are not there, 8 payments that fail");
    for id in 1..=12_u64 {
        client
            .http
            .get(format!(
                "http://{}/articles/{}",
                client.service,
                id + id / 7 * 10
            ))
            .send()
            .await?;
    }
    for _ in 0..8 {
        client
            .http
            .post(format!("http://{}/pay", client.service))
            .send()
            .await?;
    }

    println!("\n== who is told");
    let alert = tokio::time::timeout(Duration::from_secs(20), alerts.recv()).await?;
    println!("{}", alert.ok_or("the receiver has ended")?);

    look(&client).await?;
    act(&client).await?;

    println!("\n== without a token");
    let refused = client
        .http
        .get(format!("http://{}{MOUNT}/errors/stats", client.service))
        .send()
        .await?;
    println!("{} {}", refused.status(), refused.text().await?);
    if stay {
        println!(
            "\ntry: curl -H 'Authorization: Bearer {TOKEN}' http://{}{MOUNT}/errors/stats",
            client.service
        );
        std::future::pending::<()>().await;
    }
    let written = monitor.shutdown().await;
    println!("\n== shut down, everything written: {written}");
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// What an operator sees.
async fn look(client: &Client) -> Result<(), Box<dyn Error>> {
    for path in [
        "errors/stats?group_by=code",
        "errors/patterns?limit=1",
        "logs/recent-errors?status=404&limit=1",
        "circuit-breakers/payments",
        "health/services",
        "budgets",
    ] {
        println!("\n== GET {path}");
        println!("{}", shown(path, client.get(path).await?));
    }
    Ok(())
}

/// What an operator does, and what is left of it.
async fn act(client: &Client) -> Result<(), Box<dyn Error>> {
    println!("\n== POST circuit-breakers/reset/payments, by the operator");
    let answer = client
        .post(
            "circuit-breakers/reset/payments",
            json!({ "reason": "the provider is back" }),
        )
        .await?;
    println!("{} -> {}", answer["before"], answer["breaker"]["state"]);
    let audit = client.get("audit").await?;
    println!(
        "audited: {} by {}, {}",
        audit["entries"][0]["action"], audit["entries"][0]["actor"], audit["entries"][0]["after"]
    );

    println!("\n== GET /metrics");
    let metrics = client
        .http
        .get(format!("http://{}/metrics", client.service))
        .bearer_auth(TOKEN)
        .send()
        .await?
        .text()
        .await?;
    for line in metrics.lines().filter(|line| {
        line.contains("shop") && !line.ends_with(" 0")
            || line.contains("payments") && line.starts_with("circuit_breaker_state")
    }) {
        println!("{line}");
    }
    Ok(())
}

const MOUNT: &str = "/admin/api/monitoring";
/// The receiver of an alert has the same, and knows by it who has sent it.
const SECRET: &str = "whsec_ZXhhbXBsZS1zZWNyZXQtb2YtdGhlLXNob3A=";

struct Client {
    http: reqwest::Client,
    service: String,
}

impl Client {
    async fn get(&self, path: &str) -> Result<Value, reqwest::Error> {
        let request = self
            .http
            .get(format!("http://{}{MOUNT}/{path}", self.service));
        request
            .bearer_auth(TOKEN)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, reqwest::Error> {
        let request = self
            .http
            .post(format!("http://{}{MOUNT}/{path}", self.service));
        request
            .bearer_auth(TOKEN)
            .json(&body)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await
    }
}

/// What of an answer fits on a page.
fn shown(path: &str, mut answer: Value) -> String {
    if path.starts_with("errors/stats") {
        answer["buckets"] = json!("…");
        for group in answer["groups"].as_array_mut().into_iter().flatten() {
            group["counts"] = json!("…");
        }
    }
    serde_json::to_string_pretty(&answer).unwrap_or_default()
}

/// Takes alerts, as a service of somebody else's would.
async fn receiver() -> Result<(String, mpsc::Receiver<String>), Box<dyn Error>> {
    let (sender, alerts) = mpsc::channel(16);
    let hook = |State(sender): State<mpsc::Sender<String>>,
                headers: HeaderMap,
                Json(alert): Json<Value>| async move {
        let id = headers
            .get("webhook-id")
            .and_then(|id| id.to_str().ok())
            .unwrap_or("?")
            .to_owned();
        let _ = sender
            .send(format!(
                "{} {id}: {}",
                alert["type"], alert["data"]["summary"]
            ))
            .await;
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let app = Router::new().route("/hook", post(hook)).with_state(sender);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((address, alerts))
}

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use error_monitor::Monitor;
use error_runtime::{ApiError, ErrorLayer};
use tokio::net::TcpListener;

#[derive(Debug, ApiError)]
enum Fails {
    #[api(status = 404, message = "no {id}")]
    NotFound {
        #[api(detail)]
        id: u64,
    },
    #[api(status = 503, display = "calendar: <b>boom</b>")]
    Calendar,
}

#[tokio::test]
async fn smoke() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = Monitor::builder()
        .sqlite(folder.path().join("errors.db"))
        .token("0123456789abcdef-secret")
        .build()
        .await
        .unwrap();
    let app: Router = Router::new()
        .route(
            "/missing/{id}",
            get(|| async { Err::<(), _>(Fails::NotFound { id: 7 }) }),
        )
        .route("/calendar", get(|| async { Err::<(), _>(Fails::Calendar) }))
        .route("/ok", get(|| async { "ok" }))
        .merge(monitor.router())
        .layer(ErrorLayer::new().reporter(monitor.clone()))
        .layer(monitor.layer());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let client = reqwest::Client::new();
    for path in ["missing/1", "missing/2", "calendar", "ok", "nowhere"] {
        client
            .get(format!("http://{address}/{path}"))
            .send()
            .await
            .unwrap();
    }
    monitor.flush().await;
    for path in [
        "health/check",
        "health/ready",
        "health/services",
        "errors/stats",
        "errors/patterns",
        "logs/recent-errors?limit=2",
        "circuit-breakers",
        "catalog",
        "audit",
        "monitor",
        "openapi.json",
        "nothing",
        "errors/stats?group_by=what",
        "errors/stats?from=2020-01-01T00:00:00Z",
    ] {
        let response = client
            .get(format!("http://{address}/admin/api/monitoring/{path}"))
            .bearer_auth("0123456789abcdef-secret")
            .send()
            .await
            .unwrap();
        println!("{path} {} {:?}", response.status(), response.headers());
        let text = response.text().await.unwrap();
        println!("{}", &text[..text.len().min(1500)]);
    }
    let response = client
        .post(format!(
            "http://{address}/admin/api/monitoring/circuit-breakers/reset/x"
        ))
        .send()
        .await
        .unwrap();
    println!("{} {}", response.status(), response.text().await.unwrap());
    assert!(monitor.shutdown().await);
    tokio::time::sleep(Duration::from_millis(1)).await;
}

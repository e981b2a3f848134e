//! A monitor for tools that ask it from outside: `schemathesis.sh` starts it.

use std::time::Duration;

use error_monitor::{HealthCheck, Monitor};
use error_runtime::Reporter as _;
use tokio::net::TcpListener;

use crate::support::{breaker, builder, failure};

/// Serves until it is ended, at `MONITOR_PORT`, to those who have `MONITOR_TOKEN`. It has something of
/// everything to show.
#[tokio::test]
#[ignore = "it never ends: it is for `schemathesis.sh`"]
async fn serve() {
    let folder = tempfile::tempdir().unwrap();
    let port: u16 = std::env::var("MONITOR_PORT").unwrap().parse().unwrap();
    let token = std::env::var("MONITOR_TOKEN").unwrap();
    let check = HealthCheck::new("database", || async { Err::<(), _>("away") });
    let monitor: Monitor = builder(&folder)
        .token(token)
        .check(check.cache(Duration::from_secs(1)))
        .build()
        .await
        .unwrap();
    let now = error_runtime::time::Timestamp::now().unix_millis();
    for code in ["ONE", "TWO", "THREE"] {
        for place in 0..20 {
            let mut event = failure(now, code);
            event.fingerprint = code.to_lowercase();
            event.service = Some("db".to_owned());
            event.details = Some(format!(r#"{{"place":{place}}}"#));
            event.request_id = Some(format!("request-{place}"));
            monitor.report(&event);
        }
    }
    breaker("db").try_acquire().unwrap().failure();
    breaker("mail");
    assert!(monitor.flush().await);
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    monitor.serve_on(listener).await.unwrap();
}

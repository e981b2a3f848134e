//! A monitor with 200 000 errors of one day, some of them hostile, for the browser to look at.
//!
//! ```sh
//! cargo run -p tests --example many_errors
//! ```

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use error_monitor::{AlertRule, Budget, Condition, HealthCheck, Monitor};
use error_runtime::time::Timestamp;
use error_runtime::{ApiError, Breakers, CircuitBreaker, ErrorEvent, Reporter as _};

const MINUTES: u64 = 24 * 60;
const ERRORS: u64 = 200_000;

/// What somebody would write who wants to see it run.
const HOSTILE: &str = r#"<script>window.ran = 1</script><img src=x onerror="window.ran = 2">"#;

#[derive(Debug, ApiError)]
#[api(domain = "many")]
enum Fails {
    #[api(status = 503)]
    Upstream,
}

fn failure(number: u64, at: u64) -> ErrorEvent {
    const CODES: [&str; 8] = [
        "PAYMENT_TIMEOUT",
        "STORAGE_AWAY",
        "NOT_FOUND",
        "VALIDATION_ERROR",
        "RATE_LIMITED",
        "RENDER_FAILED",
        "MAIL_REFUSED",
        "UNAUTHENTICATED",
    ];
    const STATUSES: [u16; 8] = [504, 503, 404, 422, 429, 500, 502, 401];
    // The first codes come most often; and one rises in the last hour.
    let place = usize::try_from((number * number) % 37 % 8).unwrap_or(0);
    let mut event = ErrorEvent::new(&Fails::Upstream);
    event.time = Timestamp::from_unix_millis(at);
    event.code = CODES[place].into();
    event.status =
        StatusCode::from_u16(STATUSES[place]).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    event.fingerprint = format!("many/{}/{}", CODES[place], number % 5);
    event.route = Some(format!("/things/{{id}}/part-{}", number % 7));
    event.method = Some(axum::http::Method::GET);
    event.request_id = Some(format!("request-{number}"));
    event.user_id = Some(format!("user-{}", number % 1000));
    event.display = format!("thing {number} could not be had from 10.0.0.{}", number % 9);
    if number % 1000 == 999 {
        event.code = "HOSTILE".into();
        event.fingerprint = String::from("many/HOSTILE");
        event.display = String::from(HOSTILE);
        event.message = String::from(HOSTILE);
        event.chain = vec![HOSTILE.to_owned(), "the end".to_owned()];
        event.details = Some(serde_json::json!({ "given": HOSTILE }).to_string());
        event.user_id = Some(HOSTILE.to_owned());
        event.request_id = Some("hostile".to_owned());
        event.backtrace = Some(HOSTILE.repeat(50));
    }
    event
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let end = Timestamp::now().unix_millis();
    let clock = Arc::new(AtomicU64::new(end - MINUTES * 60_000));
    let source = Arc::clone(&clock);
    let monitor = Monitor::builder()
        .sqlite(folder.path().join("errors.db"))
        .token("operator-0123456789abcdef")
        .viewer_token("viewer-0123456789abcdef")
        .samples_per_minute(10_000)
        .clock(move || match source.load(Ordering::Relaxed) {
            0 => Timestamp::now(),
            at => Timestamp::from_unix_millis(at),
        })
        .check(HealthCheck::new("database", || async {
            Ok::<_, String>(())
        }))
        .check(HealthCheck::new("<b>cache</b>", || async {
            Err::<(), _>(HOSTILE)
        }))
        .budget(Budget::new("things", 0.999))
        .alert(AlertRule::new(
            "many-errors",
            Condition::count(1, Duration::from_secs(300)),
        ))
        .evaluate_every(Duration::from_millis(500))
        .build()
        .await?;
    for minute in 0..MINUTES {
        let at = end - (MINUTES - minute) * 60_000;
        clock.store(at, Ordering::Relaxed);
        for number in minute * ERRORS / MINUTES..(minute + 1) * ERRORS / MINUTES {
            monitor.report(&failure(number, at));
            monitor.requests().count("/things/{id}", StatusCode::OK);
        }
        monitor.flush().await;
    }
    clock.store(0, Ordering::Relaxed);
    for name in ["database", HOSTILE, "with/slash and space?#"] {
        Breakers::global().register(CircuitBreaker::builder(name).build()?);
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("the dashboard:  http://{}/admin/", listener.local_addr()?);
    let app: Router = monitor.router();
    axum::serve(listener, app).await?;
    Ok(())
}

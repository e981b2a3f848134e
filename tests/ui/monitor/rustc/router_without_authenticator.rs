use axum::Router;
use error_monitor::Monitor;

async fn mount() -> Router {
    let monitor = Monitor::builder().sqlite("errors.db").build().await.unwrap();
    Router::new().merge(monitor.router())
}

fn main() {}

use axum::Router;
use error_monitor::Monitor;

async fn mount() -> Router {
    let monitor = Monitor::builder().sqlite("errors.db").build().await.unwrap();
    Router::new().merge(monitor.router())
}

async fn serve() {
    let monitor = Monitor::builder().build().await.unwrap();
    monitor.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
}

fn main() {}

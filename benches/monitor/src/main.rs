//! `cargo run --release -p monitor_bench`: every figure beside its limit. It takes about a minute.

mod idle;
mod record;
mod store;
mod storm;

use std::process::ExitCode;
use std::sync::Arc;

use error_monitor::{Monitor, WithAdmin};
use error_runtime::{ApiError, ErrorEvent};
use harness::{Counting, Limit};

#[global_allocator]
static COUNTING: Counting = Counting;

const TOKEN: &str = "a-token-of-the-benchmark";

#[derive(Debug, ApiError)]
enum Fails {
    #[api(status = 503, display = "the calendar at 10.0.0.7 does not answer")]
    Calendar,
}

/// An event as an edge makes it, of one of many kinds.
fn event(kind: usize, route: usize) -> Arc<ErrorEvent> {
    let mut event = ErrorEvent::new(&Fails::Calendar);
    event.code = format!("CODE_{kind}").into();
    event.fingerprint = format!("bench/CODE_{kind}");
    event.route = Some(format!("/routes/{route}/{{id}}"));
    event.request_id = Some("01a1fd6e-75b8-7ea6-955c-c5e4a6bcbfaf".to_owned());
    event.user_id = Some("ada".to_owned());
    Arc::new(event)
}

async fn monitor(folder: &std::path::Path) -> Monitor<WithAdmin> {
    let built = Monitor::builder()
        .sqlite(folder.join("errors.db"))
        .token(TOKEN)
        .build()
        .await;
    built.expect("a store in a folder of its own opens")
}

fn main() -> ExitCode {
    let mut limits = Vec::new();
    let only = std::env::args().nth(1);
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    if wanted("record") {
        limits.extend(record::measure(&runtime));
    }
    if wanted("store") {
        limits.extend(runtime.block_on(store::measure()));
    }
    if wanted("storm") {
        limits.extend(runtime.block_on(storm::measure()));
    }
    if wanted("idle") {
        limits.extend(runtime.block_on(idle::measure()));
    }
    println!();
    if Limit::print(&limits) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

//! A monitor that has nothing to do.

use std::time::Duration;

use harness::Limit;

use crate::monitor;

pub async fn measure() -> Vec<Limit> {
    let folder = tempfile::tempdir().expect("a folder");
    let monitor = monitor(folder.path()).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = on_processor();
    // Long enough for alerts to be looked at.
    let time = Duration::from_secs(20);
    tokio::time::sleep(time).await;
    let spent = on_processor().saturating_sub(before);
    let share = spent.as_secs_f64() / time.as_secs_f64();
    println!("{:30} {:8.3} % of a core", "idle", share * 100.0);
    monitor.shutdown().await;
    vec![Limit::new(
        share < 0.01,
        format!(
            "idle it takes less than 1 % of a core: {:.3} %",
            share * 100.0
        ),
    )]
}

/// How long all threads of the process have run.
fn on_processor() -> Duration {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return Duration::ZERO;
    };
    let nanos = threads.flatten().filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

//! What several tests need.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use error_monitor::Monitor;
use error_runtime::{ApiError, ErrorEvent, Reporter};

/// A failure of a service.
#[derive(Debug, ApiError)]
pub(crate) enum Fails {
    #[api(status = 503, display = "the calendar is away")]
    Calendar,
    #[api(status = 404, message = "no {id}")]
    Missing {
        #[api(detail)]
        id: u64,
    },
}

/// Tells a monitor of so many failures, of two kinds.
pub(crate) fn report<A: Send + Sync + 'static>(monitor: &Monitor<A>, many: u64) {
    for number in 0..many {
        let event = match number % 3 {
            0 => ErrorEvent::new(&Fails::Missing { id: number }),
            _ => ErrorEvent::new(&Fails::Calendar),
        };
        monitor.report_shared(&Arc::new(event));
    }
}

/// Asks until it is so. It has a limit only so that a mistake does not hang.
pub(crate) async fn wait_for(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..2400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited in vain for {what}");
}

/// Waits until the store has all that has come.
pub(crate) async fn flushed<A>(monitor: &Monitor<A>) {
    wait_for("the store to take all", async || monitor.flush().await).await;
}

/// A number that a file holds.
pub(crate) fn number_in(file: &Path, sql: &str) -> u64 {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.busy_timeout(Duration::from_secs(20)).unwrap();
    let number: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    u64::try_from(number.unwrap_or(0)).unwrap()
}

/// The failures that a file has counted, and that all its ways to count them agree.
pub(crate) fn counted_in(file: &Path) -> u64 {
    let sums = ["minutes", "hours", "days"].map(|table| format!("SELECT sum(count) FROM {table}"));
    let [minutes, hours, days] = sums.map(|sum| number_in(file, &sum));
    let patterns = number_in(file, "SELECT sum(total) FROM patterns");
    assert_eq!([minutes, days, patterns], [hours; 3]);
    hours
}

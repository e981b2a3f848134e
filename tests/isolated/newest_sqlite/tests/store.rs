//! A failure goes in, and is in the file.

use error_runtime::{ApiError, ErrorEvent, Reporter};

#[derive(Debug, ApiError)]
enum Fails {
    #[api(status = 503)]
    Calendar,
}

#[tokio::test]
async fn a_failure_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("errors.db");
    let monitor = isolated_newest_sqlite::monitor(&path).await.unwrap();
    for _ in 0..3 {
        monitor.report(&ErrorEvent::new(&Fails::Calendar));
    }
    assert!(monitor.shutdown().await);
    let file = rusqlite::Connection::open(&path).unwrap();
    let number = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("SELECT count(*) FROM events"), 3);
    assert_eq!(number("SELECT sum(count) FROM minutes"), 3);
    assert_eq!(number("SELECT sum(count) FROM days"), 3);
}

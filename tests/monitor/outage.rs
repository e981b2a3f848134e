//! A server that goes away, hangs, dies and comes back: each failure is counted once in the end.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use error_monitor::{ErrorStore, Monitor, WithoutAdmin};
use error_runtime::{ErrorEvent, Reporter, StatusCode};

use crate::postgres::{self, Server, sql};
use crate::util::{Fails, flushed, number_in, report, wait_for};

async fn monitor(url: &str, spool: &Path) -> Monitor<WithoutAdmin> {
    Monitor::builder()
        .postgres(url)
        .spool(spool)
        .flush_every(Duration::from_millis(200))
        // So much that all is kept in full: what is lost on the way would be seen.
        .samples_per_minute(1_000_000)
        .queue(1 << 17, 1 << 30)
        .build()
        .await
        .expect("a monitor, whatever its server")
}

fn number(url: &str, what: &str) -> u64 {
    sql(
        url,
        &format!(
            "SELECT coalesce({what}, 0)::bigint FROM error_monitor.{}",
            table_of(what)
        ),
    )
    .parse()
    .unwrap()
}

/// `sum(minutes.count)` is asked of `minutes`.
fn table_of(what: &str) -> &str {
    let from = what.find('(').unwrap() + 1;
    what[from..].split('.').next().unwrap()
}

/// Whether the database has as many failures as were sent, by each way to count them.
fn has(url: &str, sent: u64) -> bool {
    let counted = number(url, "sum(hours.count)");
    assert!(counted <= sent, "{counted} counted of {sent}");
    // Numbers are ahead of texts, which come in several batches.
    if counted < sent || number(url, "count(events.id)") < sent {
        return false;
    }
    assert_eq!(number(url, "sum(minutes.count)"), sent);
    assert_eq!(number(url, "sum(days.count)"), sent);
    assert_eq!(number(url, "sum(patterns.total)"), sent);
    true
}

fn has_all_in_full(url: &str, sent: u64) {
    assert_eq!(number(url, "count(events.id)"), sent);
    let lost = "SELECT count(*) FROM error_monitor.events WHERE series NOT IN (SELECT id FROM error_monitor.series)";
    assert_eq!(sql(url, lost), "0");
    let texts = "SELECT count(*) FROM error_monitor.patterns WHERE message = ''";
    assert_eq!(sql(url, texts), "0", "a kind without a text");
}

/// Failures and requests, so many in a second, until it is stopped.
struct Load {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<()>,
}

impl Load {
    fn start(monitor: &Monitor<WithoutAdmin>, per_second: u64) -> Self {
        let (stop, sent) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let (stopped, count, monitor) = (Arc::clone(&stop), Arc::clone(&sent), monitor.clone());
        let thread = std::thread::spawn(move || {
            let begin = std::time::Instant::now();
            while !stopped.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
                let due = begin.elapsed().as_millis() * u128::from(per_second) / 1000;
                let due = u64::try_from(due).unwrap();
                for number in count.load(Ordering::SeqCst)..due {
                    let mut event = match number % 3 {
                        0 => ErrorEvent::new(&Fails::Missing { id: number }),
                        _ => ErrorEvent::new(&Fails::Calendar),
                    };
                    event.route = Some(format!("/route/{}", number % 20));
                    event.request_id = Some(format!("request-{number}"));
                    monitor.report_shared(&Arc::new(event));
                    let status = StatusCode::SERVICE_UNAVAILABLE;
                    monitor.requests().count("/route", status);
                }
                count.store(due.max(count.load(Ordering::SeqCst)), Ordering::SeqCst);
            }
        });
        Self { stop, sent, thread }
    }

    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap();
        self.sent.load(Ordering::SeqCst)
    }
}

async fn seconds(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

fn spooled(spool: &Path) -> u64 {
    number_in(spool, "SELECT count(*) FROM spool")
}

#[tokio::test]
async fn a_server_that_hangs_and_dies_gets_each_failure_once() {
    let Some(server) = Server::start() else {
        return;
    };
    let url = server.database();
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool.db");
    let monitor = monitor(&url, &spool).await;
    let load = Load::start(&monitor, 2_000);
    seconds(2.0).await;
    // Longer than the store waits for an answer: it cannot know what has become of its batch.
    server.freeze();
    seconds(6.5).await;
    assert!(
        monitor.flush().await,
        "what the server does not take, the file takes"
    );
    server.thaw();
    seconds(1.5).await;
    server.freeze();
    seconds(0.5).await;
    server.thaw();
    seconds(0.5).await;
    server.kill();
    seconds(2.0).await;
    assert!(
        monitor.flush().await,
        "what the server does not take, the file takes"
    );
    assert!(spooled(&spool) > 0);
    server.run();
    seconds(2.0).await;
    let sent = load.stop();
    assert!(monitor.flush().await);
    wait_for("the server to have all", async || has(&url, sent)).await;
    has_all_in_full(&url, sent);
    assert_eq!(
        sql(
            &url,
            "SELECT count(DISTINCT request_id) FROM error_monitor.events"
        ),
        sent.to_string()
    );
    assert_eq!(number(&url, "sum(request_minutes.total)"), sent);
    assert_eq!(number(&url, "sum(request_hours.server_errors)"), sent);
    wait_for("the file to be empty", async || spooled(&spool) == 0).await;
    // And it goes on as if nothing had been.
    report(&monitor, 30);
    assert!(monitor.shutdown().await);
    wait_for("the server to have the last", async || has(&url, sent + 30)).await;
    assert_eq!(spooled(&spool), 0);
    println!("{sent} sent");
}

#[tokio::test]
async fn connections_that_break_lose_nothing() {
    let Some(url) = postgres::database() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let monitor = monitor(&url, &folder.path().join("spool.db")).await;
    let load = Load::start(&monitor, 1_000);
    for _ in 0..40 {
        seconds(0.1).await;
        sql(
            &url,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
    }
    let sent = load.stop();
    assert!(monitor.flush().await);
    wait_for("the server to have all", async || has(&url, sent)).await;
    has_all_in_full(&url, sent);
    assert!(monitor.shutdown().await);
}

#[tokio::test]
async fn a_server_that_is_away_at_the_start_is_waited_for() {
    let Some(server) = Server::start() else {
        return;
    };
    let url = server.database();
    server.kill();
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool.db");
    let monitor = monitor(&url, &spool).await;
    for _ in 0..5 {
        report(&monitor, 100);
        assert!(monitor.flush().await);
    }
    assert!(spooled(&spool) > 0);
    assert!(
        monitor
            .store()
            .ping()
            .await
            .is_err_and(|error| error.is_passing())
    );
    server.run();
    wait_for("the schema", async || monitor.store().ping().await.is_ok()).await;
    wait_for("the server to have all", async || has(&url, 500)).await;
    has_all_in_full(&url, 500);
    assert!(monitor.shutdown().await);
    assert_eq!(spooled(&spool), 0);
}

const URL: &str = "MONITOR_TEST_OUTAGE_URL";
const SPOOL: &str = "MONITOR_TEST_OUTAGE_SPOOL";

/// Not a test of its own: a process that is killed while its failures wait for a server.
#[tokio::test]
#[ignore = "a part of another test, which starts it and kills it"]
async fn child() {
    let (Ok(url), Ok(spool)) = (std::env::var(URL), std::env::var(SPOOL)) else {
        return;
    };
    let monitor = monitor(&url, Path::new(&spool)).await;
    for _ in 0..3 {
        report(&monitor, 100);
        assert!(monitor.flush().await);
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "written").and_then(|()| out.flush()).unwrap();
    // Until it is killed.
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[tokio::test]
async fn the_next_process_sends_what_the_last_one_left() {
    let Some(server) = Server::start() else {
        return;
    };
    let url = server.database();
    server.kill();
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool.db");
    // One that ends, and one that is killed.
    let first = monitor(&url, &spool).await;
    report(&first, 250);
    assert!(first.shutdown().await);
    assert!(spooled(&spool) > 0);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "outage::child", "--ignored", "--nocapture"])
        .env(URL, &url)
        .env(SPOOL, &spool)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_last = |line: &std::io::Result<String>| line.as_ref().unwrap().contains("written");
    assert!(lines.into_iter().any(|line| is_last(&line)));
    child.kill().unwrap();
    child.wait().unwrap();

    let last = monitor(&url, &spool).await;
    report(&last, 50);
    assert!(last.flush().await);
    server.run();
    wait_for("the server to have all", async || {
        last.store().ping().await.is_ok() && has(&url, 600)
    })
    .await;
    has_all_in_full(&url, 600);
    assert_eq!(number(&url, "count(writers.instance)"), 3);
    assert!(last.shutdown().await);
    assert_eq!(spooled(&spool), 0);
}

/// Somebody has dropped it, or put an older copy in its place.
#[tokio::test]
async fn a_schema_that_is_gone_is_made_again() {
    let Some(url) = postgres::database() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let monitor = monitor(&url, &folder.path().join("spool.db")).await;
    report(&monitor, 30);
    assert!(monitor.flush().await);
    assert!(has(&url, 30));
    sql(&url, "DROP SCHEMA error_monitor CASCADE");
    report(&monitor, 50);
    flushed(&monitor).await;
    wait_for("the schema", async || {
        sql(
            &url,
            "SELECT to_regclass('error_monitor.hours') IS NOT NULL",
        ) == "t"
    })
    .await;
    wait_for("the server to have all", async || has(&url, 50)).await;
    has_all_in_full(&url, 50);
    assert!(monitor.shutdown().await);
}

/// A process that is held up in the middle of something is thrown out by the server: that passes.
#[tokio::test]
async fn what_the_server_gave_up_is_sent_again() {
    let Some(url) = postgres::database() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let patient = error_monitor::store::PostgresStore::new(&url).unwrap();
    patient.ping().await.unwrap();
    let hasty = format!("{url}&options=-c%20idle_in_transaction_session_timeout%3D1");
    let monitor = monitor(&hasty, &folder.path().join("spool.db")).await;
    let mut sent = 0;
    for _ in 0..15 {
        report(&monitor, 20);
        sent += 20;
        let _ = monitor.flush().await;
    }
    flushed(&monitor).await;
    wait_for("the server to have all", async || has(&url, sent)).await;
    has_all_in_full(&url, sent);
}

/// What is large takes long, and must not be in everybody's way for ever.
#[tokio::test]
async fn large_failures_arrive_too() {
    let Some(url) = postgres::database() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool.db");
    let monitor = monitor(&url, &spool).await;
    let text = |length: usize| {
        (0..length)
            .map(|_| fastrand::alphanumeric())
            .collect::<String>()
    };
    let mut event = ErrorEvent::new(&Fails::Calendar);
    event.message = text(2_000);
    event.display = text(4_000);
    event.chain = (0..16).map(|_| text(1_000)).collect();
    event.details = Some(format!(r#"{{"text":"{}"}}"#, text(16_000)));
    for _ in 0..3_000 {
        let mut event = event.clone();
        event.backtrace = Some(text(16_000));
        monitor.report_shared(&Arc::new(event));
    }
    assert!(monitor.flush().await);
    wait_for("the server to have all", async || has(&url, 3_000)).await;
    has_all_in_full(&url, 3_000);
    assert!(monitor.shutdown().await);
}

/// Stands between a store and its server, and takes the server's answer to some commits with it when it goes.
fn forgetful_proxy(port: u16, lost: &Arc<AtomicU64>) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let (lost, commits) = (Arc::clone(lost), Arc::new(AtomicU64::new(0)));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = std::net::TcpStream::connect(("127.0.0.1", port)) else {
                continue;
            };
            let is_lost = Arc::new(AtomicBool::new(false));
            let answers = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let (lost, commits, was_lost) = (
                Arc::clone(&lost),
                Arc::clone(&commits),
                Arc::clone(&is_lost),
            );
            std::thread::spawn(move || {
                forward(&client, &server, |bytes| {
                    let is_commit = bytes.windows(6).any(|word| word == b"COMMIT");
                    if is_commit && commits.fetch_add(1, Ordering::SeqCst) % 3 == 2 {
                        is_lost.store(true, Ordering::SeqCst);
                        lost.fetch_add(1, Ordering::SeqCst);
                    }
                    true
                });
            });
            std::thread::spawn(move || {
                let (server, client) = answers;
                // The answer has come this far: the server has done what it was asked.
                forward(&server, &client, |_| !was_lost.load(Ordering::SeqCst));
            });
        }
    });
    own
}

/// Hands on what comes, until one of both ends it or `may_pass` says no.
fn forward(
    mut from: &std::net::TcpStream,
    mut to: &std::net::TcpStream,
    may_pass: impl Fn(&[u8]) -> bool,
) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(many @ 1..) = from.read(&mut bytes) {
        if !may_pass(&bytes[..many]) || to.write_all(&bytes[..many]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(std::net::Shutdown::Both);
    let _ = to.shutdown(std::net::Shutdown::Both);
}

#[tokio::test]
async fn what_was_written_without_an_answer_is_not_counted_again() {
    let Some(url) = postgres::database() else {
        return;
    };
    let port = url.split(['/', ':']).nth(4).unwrap();
    let lost = Arc::new(AtomicU64::new(0));
    let proxy = forgetful_proxy(port.parse().unwrap(), &lost);
    let through = url.replace(&format!(":{port}/"), &format!(":{proxy}/"));
    let folder = tempfile::tempdir().unwrap();
    // The tables are there: what is lost is the answer to failures.
    let patient = error_monitor::store::PostgresStore::new(&url).unwrap();
    patient.ping().await.unwrap();
    let monitor = monitor(&through, &folder.path().join("spool.db")).await;
    let mut sent = 0;
    for _ in 0..12 {
        report(&monitor, 25);
        sent += 25;
        flushed(&monitor).await;
        wait_for("the server to have all", async || has(&url, sent)).await;
    }
    assert!(lost.load(Ordering::SeqCst) > 2);
    wait_for("the file to be empty", async || {
        spooled(&folder.path().join("spool.db")) == 0
    })
    .await;
    assert!(has(&url, sent));
    has_all_in_full(&url, sent);
}

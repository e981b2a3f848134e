//! What was written stays written, whenever the process is killed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use error_monitor::Monitor;
use error_runtime::{ErrorEvent, Reporter};

use crate::util::{Fails, counted_in, number_in};

const FILE: &str = "MONITOR_TEST_KILL_FILE";
const ROUNDS: u64 = 20;

/// Not a test of its own: the process that is killed. It says how many failures are known to be written, and
/// how many may be at most.
#[tokio::test]
#[ignore = "a part of another test, which starts it and kills it"]
async fn child() {
    let Some(file) = std::env::var_os(FILE) else {
        return;
    };
    let monitor = Monitor::builder()
        .sqlite(file)
        .flush_every(Duration::from_millis(20))
        .samples_per_minute(1_000_000)
        .build()
        .await
        .unwrap();
    let say = |line: String| {
        let mut out = std::io::stdout().lock();
        // Whoever listened is gone: so is the reason to go on.
        if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
            std::process::exit(0);
        }
    };
    // Whoever reports is the host's: nothing may panic there.
    std::panic::set_hook(Box::new(|panic| println!("panicked {panic}")));
    let sent = Arc::new(AtomicU64::new(0));
    let allowed = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    for thread in 0..2_u64 {
        let (monitor, sent, allowed) = (monitor.clone(), Arc::clone(&sent), Arc::clone(&allowed));
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || {
            for number in 0_u64.. {
                // What is sent was said before, so that the file never holds more than was said.
                while sent.load(Ordering::SeqCst) + 2 > allowed.load(Ordering::SeqCst) {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    std::thread::yield_now();
                }
                let mut event = match (number + thread) % 3 {
                    0 => ErrorEvent::new(&Fails::Missing { id: number }),
                    _ => ErrorEvent::new(&Fails::Calendar),
                };
                event.route = Some(format!("/route/{}", number % 50));
                event.backtrace = Some("at somewhere\n".repeat(20));
                // Many kinds, so that every part of a batch takes its time.
                event.fingerprint = format!("kind-{}", number % 500);
                monitor.report_shared(&Arc::new(event));
                sent.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    loop {
        let most = sent.load(Ordering::SeqCst) + 2_000;
        say(format!("most {most}"));
        allowed.store(most, Ordering::SeqCst);
        // Counted before it is sent on: whatever was sent until here is in the flush.
        let written = sent.load(Ordering::SeqCst);
        if monitor.flush().await {
            say(format!("written {written}"));
        }
    }
}

/// Starts a child, kills it some time after it has begun to write, and returns what it has said.
fn round(file: &Path, rng: &mut fastrand::Rng) -> (u64, u64) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--ignored", "--nocapture"])
        .env(FILE, file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut written, mut most) = (0, 0);
    let mut hear = |line: &str| {
        assert!(!line.contains("panicked"), "{line}");
        if let Some(number) = line.strip_prefix("written ") {
            written = number.parse().unwrap_or(written);
        } else if let Some((_, number)) = line.split_once("most ") {
            most = number.parse().unwrap_or(most);
        }
        written > 0
    };
    // The first time it is slower: the tables are made.
    while !hear(&lines.next().expect("the child has ended").unwrap()) {}
    std::thread::scope(|scope| {
        let pause = Duration::from_micros(rng.u64(..400_000));
        scope.spawn(move || {
            // Any moment will do, and each round has another: nothing is asserted of the time.
            std::thread::sleep(pause);
            child.kill().unwrap();
            child.wait().unwrap();
        });
        // The last line may be cut.
        while let Some(Ok(line)) = lines.next() {
            hear(&line);
        }
    });
    (written, most)
}

#[test]
fn what_was_written_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("errors.db");
    let rng = &mut fastrand::Rng::with_seed(7);
    let (mut least, mut before) = (0, 0);
    for number in 0..ROUNDS {
        let (written, most) = round(&file, rng);
        least += written;
        // Opened before anybody mends it: the next child.
        let sound = "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'";
        assert_eq!(number_in(&file, sound), 1, "round {number}");
        let counted = counted_in(&file);
        println!(
            "round {number}: {written} written, {} there, at most {most}",
            counted - before
        );
        let new = counted - before;
        assert!(
            new >= written,
            "round {number}: {} of {written} are lost",
            written - new
        );
        assert!(
            new <= most,
            "round {number}: {new} counted of at most {most}"
        );
        before = counted;
        let events = number_in(&file, "SELECT count(*) FROM events");
        assert!(
            events <= counted,
            "round {number}: {events} failures in full, {counted} counted"
        );
        for (table, column) in [
            ("events", "series"),
            ("minutes", "series"),
            ("hours", "series"),
        ] {
            let lost = format!(
                "SELECT count(*) FROM {table} WHERE {column} NOT IN (SELECT id FROM series)"
            );
            assert_eq!(
                number_in(&file, &lost),
                0,
                "round {number}: {table} without a series"
            );
        }
        let lost = "SELECT count(*) FROM series WHERE fingerprint NOT IN (SELECT fingerprint FROM patterns)";
        assert_eq!(
            number_in(&file, lost),
            0,
            "round {number}: series without a kind"
        );
        // By series and kind too, not only in sum.
        let wrong = "SELECT count(*) FROM patterns p WHERE total <> (SELECT sum(count) FROM hours
            JOIN series ON series.id = hours.series WHERE series.fingerprint = p.fingerprint)";
        assert_eq!(
            number_in(&file, wrong),
            0,
            "round {number}: a kind with a wrong total"
        );
    }
    let writers = number_in(&file, "SELECT count(*) FROM writers");
    assert_eq!(writers, ROUNDS);
    assert!(
        before >= least && least > 100,
        "{least} written, {before} there"
    );
    let aside = std::fs::read_dir(folder.path()).unwrap();
    let names: Vec<_> = aside.map(|file| file.unwrap().file_name()).collect();
    assert!(names.len() <= 3, "{names:?}");
}

/// Failures are counted in and out of the queue by two threads, in whatever order.
#[tokio::test]
async fn a_host_may_report_while_the_queue_is_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = Monitor::builder()
        .sqlite(folder.path().join("errors.db"))
        .flush_every(Duration::from_millis(10))
        .samples_per_minute(1_000_000)
        .build()
        .await
        .unwrap();
    let mut reporting = Vec::new();
    for _ in 0..3 {
        let (monitor, event) = (monitor.clone(), Arc::new(ErrorEvent::new(&Fails::Calendar)));
        reporting.push(std::thread::spawn(move || {
            for number in 0..400_000 {
                monitor.report_shared(&event);
                if number % 50 == 0 {
                    // Lets the queue run empty, which is when those who fill and empty it meet.
                    std::thread::sleep(Duration::from_micros(1));
                }
            }
        }));
    }
    while !reporting.iter().all(std::thread::JoinHandle::is_finished) {
        assert!(monitor.flush().await);
    }
    for thread in reporting {
        assert!(thread.join().is_ok(), "a report has panicked");
    }
    assert!(monitor.shutdown().await);
    assert_eq!(counted_in(&folder.path().join("errors.db")), 1_200_000);
}

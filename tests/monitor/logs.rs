//! Log files: what goes where, one line of JSON for each event, and none lost while the disk takes them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use error_monitor::{LogFiles, LogHandle, log_performance_metric, log_security_event};
use error_runtime::{ApiError, ErrorEvent, ErrorLayer, Reporter as _, TracingReporter};
use serde_json::{Value, json};
use tracing::subscriber::with_default;
use tracing::{debug, error, info, info_span, trace, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

const FILES: [&str; 4] = ["app.log", "errors.log", "security.log", "performance.log"];

/// Runs this with log files of this kind.
fn logging<R>(files: LogFiles, run: impl FnOnce(&LogHandle) -> R) -> R {
    let (layer, handle) = files.layer();
    let subscriber = tracing_subscriber::registry().with(layer);
    with_default(subscriber, || run(&handle))
}

fn at_info(folder: &Path) -> LogFiles {
    LogFiles::new(folder).level(LevelFilter::INFO)
}

/// The lines of a file, each of which must be an object by itself.
fn lines(path: &Path) -> Vec<Value> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => panic!("{error}"),
    };
    assert!(text.is_empty() || text.ends_with('\n'), "{text}");
    let parse = |line: &str| {
        let value: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for name in ["timestamp", "level", "target"] {
            assert!(value[name].is_string(), "{name} in {line}");
        }
        value
    };
    text.split_terminator('\n').map(parse).collect()
}

/// Of each file, the messages of its lines.
fn messages(folder: &Path) -> BTreeMap<&'static str, Vec<String>> {
    let message = |line: Value| line["message"].as_str().unwrap_or_default().to_owned();
    FILES
        .into_iter()
        .map(|name| {
            (
                name,
                lines(&folder.join(name)).into_iter().map(message).collect(),
            )
        })
        .collect()
}

fn table(rows: [(&'static str, &[&str]); 4]) -> BTreeMap<&'static str, Vec<String>> {
    rows.into_iter()
        .map(|(name, all)| (name, all.iter().map(|one| (*one).to_owned()).collect()))
        .collect()
}

#[test]
fn each_event_goes_where_it_belongs() {
    let folder = tempfile::tempdir().unwrap();
    logging(at_info(folder.path()), |handle| {
        info!("plain");
        warn!(category = "app", "warned");
        error!(code = "X", "failed");
        error!(category = "security", "attacked");
        info!(category = "security", "signed in");
        info!(category = "performance", "slow");
        error!(category = "performance", "too slow");
        // A category of one's own belongs to the application.
        info!(category = "billing", "billed");
        info!(category = %"security", "shown as text");
        debug!("hidden");
        trace!("hidden");
        assert_eq!(handle.dropped(), 0);
        assert_eq!(handle.folder(), folder.path());
    });
    assert_eq!(
        messages(folder.path()),
        table([
            ("app.log", &["plain", "warned", "failed", "billed"]),
            ("errors.log", &["failed", "attacked", "too slow"]),
            ("security.log", &["attacked", "signed in", "shown as text"]),
            ("performance.log", &["slow", "too slow"]),
        ])
    );
    let line = &lines(&folder.path().join("errors.log"))[0];
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["code"], "X");
    assert_eq!(line["target"], "monitor::logs");
    let time = line["timestamp"].as_str().unwrap();
    assert!(
        time.ends_with('Z') && time.len() == "2026-01-31T08:00:00.000Z".len(),
        "{time}"
    );
}

#[test]
fn the_helpers_write_what_they_are_given() {
    let folder = tempfile::tempdir().unwrap();
    let (user, address) = ("ada", "192.0.2.1");
    logging(at_info(folder.path()), |_| {
        log_security_event!(
            "failed_login",
            "several failed attempts",
            user_id = user,
            ip_address = address
        );
        log_security_event!("plain", "no fields");
        log_security_event!(String::from("owned").as_str(), format!("{} {}", 1, "{}"), count = 3, list = ?[1, 2]);
        log_performance_metric!(
            "video_render_seconds",
            12.5,
            video_length = 60,
            file_size = 1024_u64
        );
        log_performance_metric!("plain", 7_u64);
    });
    let security = lines(&folder.path().join("security.log"));
    assert_eq!(security.len(), 3);
    assert_eq!(security[0]["event"], "failed_login");
    assert_eq!(security[0]["message"], "several failed attempts");
    assert_eq!(security[0]["category"], "security");
    assert_eq!(security[0]["level"], "WARN");
    assert_eq!(security[0]["user_id"], "ada");
    assert_eq!(security[0]["ip_address"], "192.0.2.1");
    assert_eq!(security[2]["event"], "owned");
    assert_eq!(security[2]["message"], "1 {}");
    assert_eq!(security[2]["count"], 3);
    assert_eq!(security[2]["list"], "[1, 2]");
    let performance = lines(&folder.path().join("performance.log"));
    assert_eq!(performance.len(), 2);
    assert_eq!(performance[0]["metric"], "video_render_seconds");
    assert_eq!(performance[0]["value"], 12.5);
    assert_eq!(performance[0]["video_length"], 60);
    assert_eq!(performance[0]["file_size"], 1024);
    assert_eq!(performance[0]["level"], "INFO");
    assert_eq!(performance[1]["value"], 7);
    assert!(lines(&folder.path().join("app.log")).is_empty());
}

#[derive(Debug, ApiError)]
#[api(domain = "logs-test")]
enum Fails {
    #[api(status = 403, message = "no", category = "security")]
    LogsTestForbidden,
    #[api(status = 503, message = "later", display = "the <inside>")]
    LogsTestBusy,
}

#[test]
fn declared_errors_go_by_their_category() {
    let folder = tempfile::tempdir().unwrap();
    logging(at_info(folder.path()), |_| {
        TracingReporter::new().report(&ErrorEvent::new(&Fails::LogsTestForbidden));
        TracingReporter::new().report(&ErrorEvent::new(&Fails::LogsTestBusy));
    });
    let of = |name: &str| -> Vec<Value> {
        let all = lines(&folder.path().join(name)).into_iter();
        all.map(|line| line["code"].clone()).collect()
    };
    assert_eq!(of("security.log"), [json!("LOGS_TEST_FORBIDDEN")]);
    assert_eq!(of("app.log"), [json!("LOGS_TEST_BUSY")]);
    assert_eq!(of("errors.log"), [json!("LOGS_TEST_BUSY")]);
    let line = &lines(&folder.path().join("errors.log"))[0];
    assert_eq!(line["error"], "the <inside>");
    assert_eq!(line["status"], 503);
}

/// The same through the edge of a router, with the request's id.
#[test]
fn failures_of_requests_are_logged_by_the_edge() {
    use axum::routing::get;
    use tower::ServiceExt as _;

    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let app: axum::Router = axum::Router::new()
        .route(
            "/locked/{id}",
            get(|| async { Err::<(), _>(Fails::LogsTestForbidden) }),
        )
        .layer(ErrorLayer::new());
    logging(at_info(folder.path()), |_| {
        runtime.block_on(async {
            let request = axum::extract::Request::builder()
                .uri("/locked/5\n".trim())
                .header("x-request-id", "request-of-the-logs-test")
                .body(axum::body::Body::empty())
                .unwrap();
            let response = app.oneshot(request).await.unwrap();
            assert_eq!(response.status(), 403);
        });
    });
    let lines = lines(&folder.path().join("security.log"));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["code"], "LOGS_TEST_FORBIDDEN");
    assert_eq!(lines[0]["route"], "/locked/{id}");
    assert!(lines[0]["request_id"].is_string());
}

/// The admin's door says who came, and who did not get in.
#[test]
fn what_admins_do_is_security() {
    use error_monitor::Monitor;
    use tower::ServiceExt as _;

    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    logging(at_info(folder.path()), |_| {
        runtime.block_on(async {
            let monitor = Monitor::builder()
                .sqlite(folder.path().join("errors.db"))
                .token("0123456789abcdef-operator")
                .build()
                .await
                .unwrap();
            for (method, path, token) in [
                ("GET", "errors/stats", "not-the-right-one"),
                (
                    "POST",
                    "circuit-breakers/reset/logs-test",
                    "0123456789abcdef-operator",
                ),
            ] {
                let request = axum::extract::Request::builder()
                    .method(method)
                    .uri(format!("/admin/api/monitoring/{path}"))
                    .header("authorization", format!("Bearer {token}"))
                    .body(axum::body::Body::empty())
                    .unwrap();
                monitor.router::<()>().oneshot(request).await.unwrap();
            }
            assert!(monitor.shutdown().await);
        });
    });
    let security = lines(&folder.path().join("security.log"));
    let events: Vec<_> = security
        .iter()
        .filter_map(|line| line["event"].as_str())
        .collect();
    assert!(events.contains(&"sign_in_failed"), "{events:?}");
    assert!(events.contains(&"admin_action"), "{events:?}");
    let text = std::fs::read_to_string(folder.path().join("security.log")).unwrap();
    assert!(
        !text.contains("not-the-right-one") && !text.contains("0123456789abcdef"),
        "a token was logged"
    );
}

/// Everything that several threads have written is there once, in files that are put aside in their order.
#[test]
fn rotation_under_load_loses_nothing() {
    const THREADS: usize = 8;
    const LINES: usize = 2000;
    const MAX: u64 = 64 * 1024;
    let folder = tempfile::tempdir().unwrap();
    let (layer, handle) = at_info(folder.path()).max_bytes(MAX).keep(1000).layer();
    let subscriber = Arc::new(tracing_subscriber::registry().with(layer));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let subscriber = Arc::clone(&subscriber);
            scope.spawn(move || {
                with_default(subscriber, || {
                    for line in 0..LINES {
                        error!(thread, line, text = "x".repeat(line % 300), "load");
                    }
                });
            });
        }
    });
    assert_eq!(handle.dropped(), 0);
    for name in ["app.log", "errors.log"] {
        let mut files: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|file| file.starts_with(name))
            .collect();
        // The highest number is the oldest.
        let number = |file: &String| {
            file[name.len()..]
                .trim_start_matches('.')
                .parse()
                .unwrap_or(0_usize)
        };
        files.sort_by_key(|file| std::cmp::Reverse(number(file)));
        assert!(files.len() > 10, "{files:?}");
        let mut next = [0; THREADS];
        for file in &files {
            let path = folder.path().join(file);
            assert!(path.metadata().unwrap().len() <= MAX, "{file}");
            for line in lines(&path) {
                let index = |name: &str| usize::try_from(line[name].as_u64().unwrap()).unwrap();
                let thread = index("thread");
                assert_eq!(index("line"), next[thread], "of thread {thread} in {file}");
                next[thread] += 1;
            }
        }
        assert_eq!(next, [LINES; THREADS], "{name}");
    }
}

#[test]
fn so_many_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    logging(at_info(folder.path()).max_bytes(0).keep(3), |handle| {
        // 4 KiB is the least that a file may have.
        for number in 0..400 {
            info!(number, text = "x".repeat(100), "kept");
        }
        assert_eq!(handle.dropped(), 0);
    });
    let mut files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["app.log", "app.log.1", "app.log.2", "app.log.3"]);
    let last = lines(&folder.path().join("app.log"));
    assert_eq!(last.last().unwrap()["number"], 399);
}

/// A line that is longer than a file may be is written all the same.
#[test]
fn a_line_longer_than_a_file_is_written() {
    let folder = tempfile::tempdir().unwrap();
    logging(at_info(folder.path()).max_bytes(4096).keep(10), |handle| {
        for number in 0..3 {
            info!(number, text = "x".repeat(10_000), "long");
        }
        assert_eq!(handle.dropped(), 0);
    });
    for (file, number) in [("app.log", 2), ("app.log.1", 1), ("app.log.2", 0)] {
        let lines = lines(&folder.path().join(file));
        assert_eq!(lines.len(), 1, "{file}");
        assert_eq!(lines[0]["number"], number);
        assert_eq!(lines[0]["text"].as_str().unwrap().len(), 10_000);
    }
}

// ---- Levels ----

fn all_levels() {
    trace!("trace");
    debug!("debug");
    info!("info");
    warn!("warn");
    error!("error");
}

#[test]
fn the_level_changes_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let all = ["trace", "debug", "info", "warn", "error"];
    let mut wanted: Vec<&str> = Vec::new();
    logging(at_info(folder.path()), |handle| {
        all_levels();
        wanted.extend(&all[2..]);
        for (level, least) in [
            ("debug", 1),
            ("WARNING", 3),
            (" Critical ", 4),
            ("off", 5),
            ("TRACE", 0),
            ("fatal", 4),
            ("Info", 2),
            ("warn", 3),
            ("error", 4),
        ] {
            handle.set_level(level).unwrap();
            all_levels();
            wanted.extend(&all[least..]);
        }
        // What is no level changes nothing.
        for nonsense in ["", "loud", "info,monitor=debug", "0", &"x".repeat(10_000)] {
            let error = handle.set_level(nonsense).unwrap_err();
            assert!(error.to_string().len() < 500);
            all_levels();
            wanted.push("error");
        }
        let copy = handle.clone();
        copy.set_level("info").unwrap();
        all_levels();
        wanted.extend(&all[2..]);
    });
    assert_eq!(messages(folder.path())["app.log"], wanted);
    // The subscriber is gone.
    let (layer, handle) = LogFiles::new(folder.path()).layer::<tracing_subscriber::Registry>();
    drop(layer);
    handle.set_level("info").unwrap();
    assert!(handle.set_level("loud").is_err());
}

/// The environment is the process's: each of its values has one of its own.
#[test]
fn the_level_is_that_of_the_environment() {
    let run = |level: Option<&str>| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "logs::levels_of_a_process", "--ignored"])
            .env("LOGS_TEST_FOLDER", folder.path())
            .env_remove("LOG_LEVEL");
        if let Some(level) = level {
            command.env("LOG_LEVEL", level);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains("1 passed"),
            "{said}"
        );
        messages(folder.path())["app.log"].len()
    };
    for (level, lines) in [
        (None, 3),
        (Some("error"), 1),
        (Some("CRITICAL"), 1),
        (Some("WARNING"), 2),
        (Some("Warn"), 2),
        (Some("info"), 3),
        (Some(" DEBUG "), 4),
        (Some("trace"), 5),
        (Some("off"), 0),
        (Some("nonsense"), 3),
        (Some(""), 3),
        (Some("10"), 3),
    ] {
        assert_eq!(run(level), lines, "{level:?}");
    }
}

#[test]
#[ignore = "in a process of its own, by the test above"]
fn levels_of_a_process() {
    let folder = std::env::var_os("LOGS_TEST_FOLDER").unwrap();
    logging(LogFiles::new(folder), |_| all_levels());
}

// ---- What is in a line ----

#[test]
fn hostile_texts_stay_on_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let texts = [
        "two\nlines",
        "\r\n\u{0}\u{1}\u{1b}[31mred\u{7f}",
        "{\"level\":\"ERROR\"}",
        "\",\"admin\":true,\"x\":\"",
        "\u{2028}\u{2029}\u{202e}é😀",
        "\\",
    ];
    logging(at_info(folder.path()), |_| {
        for text in texts {
            info!(text, shown = %text, debugged = ?text, "{text}");
        }
    });
    let path = folder.path().join("app.log");
    let raw = std::fs::read(&path).unwrap();
    let is_control = |byte: &u8| *byte < 0x20 && *byte != b'\n';
    assert!(
        !raw.iter().any(is_control),
        "control characters are escaped"
    );
    let lines = lines(&path);
    assert_eq!(lines.len(), texts.len());
    for (line, text) in lines.iter().zip(texts) {
        let kept = text.replace('\0', "\u{fffd}");
        assert_eq!(line["text"], kept);
        assert_eq!(line["message"], kept);
        assert_eq!(line["shown"], kept);
        assert_eq!(line.get("admin"), None);
        assert_eq!(line["level"], "INFO");
    }
}

#[test]
fn a_huge_field_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let huge = "é".repeat(512 * 1024);
    logging(at_info(folder.path()), |handle| {
        info!(text = huge, shown = %huge, small = "small", "{huge}");
        let span = info_span!("huge", huge);
        span.in_scope(|| info!("in it"));
        info!("after");
        assert_eq!(handle.dropped(), 0);
    });
    let lines = lines(&folder.path().join("app.log"));
    assert_eq!(lines.len(), 3);
    for (line, name) in [(0, "text"), (0, "shown"), (0, "message"), (1, "huge")] {
        let text = lines[line][name].as_str().unwrap();
        assert!(
            text.len() <= 17 * 1024 && text.starts_with('é') && text.ends_with('…'),
            "{name}"
        );
    }
    assert_eq!(lines[0]["small"], "small");
    assert_eq!(lines[2]["message"], "after");
}

#[test]
fn a_field_does_not_pass_for_what_the_line_says_itself() {
    let folder = tempfile::tempdir().unwrap();
    logging(at_info(folder.path()), |_| {
        info!(
            timestamp = "1970-01-01",
            level = "ERROR",
            target = "x",
            spans = 5,
            "event"
        );
        info_span!("outer", timestamp = 1, level = 2, target = 3, spans = 4)
            .in_scope(|| info!("span"));
    });
    let lines = lines(&folder.path().join("app.log"));
    assert_eq!(lines[0]["level"], "INFO");
    assert_ne!(lines[0]["timestamp"], "1970-01-01");
    assert_eq!(lines[0]["field_timestamp"], "1970-01-01");
    assert_eq!(lines[0]["field_level"], "ERROR");
    assert_eq!(lines[0]["field_spans"], 5);
    assert_eq!(lines[0].get("spans"), None);
    assert_eq!(lines[1]["level"], "INFO");
    assert_eq!(lines[1]["field_timestamp"], 1);
    assert_eq!(lines[1]["field_spans"], 4);
    assert_eq!(lines[1]["spans"], json!(["outer"]));
    // None of it went where an error goes.
    assert!(!folder.path().join("errors.log").exists());
}

#[test]
fn numbers_keep_their_kinds() {
    let folder = tempfile::tempdir().unwrap();
    logging(at_info(folder.path()), |_| {
        info!(
            whole = u64::MAX,
            negative = i64::MIN,
            wide = u128::MAX,
            part = 0.5,
            odd = f64::NAN,
            endless = f64::INFINITY,
            yes = true,
            r#type = "raw",
            dotted.name = 1,
            "numbers"
        );
    });
    let line = &lines(&folder.path().join("app.log"))[0];
    assert_eq!(line["whole"], u64::MAX);
    assert_eq!(line["negative"], i64::MIN);
    assert_eq!(line["wide"], u128::MAX.to_string());
    assert_eq!(line["part"], 0.5);
    assert_eq!(line["odd"], "NaN");
    assert_eq!(line["endless"], "inf");
    assert_eq!(line["yes"], true);
    assert_eq!(line["type"], "raw");
    assert_eq!(line["dotted.name"], 1);
}

#[test]
fn what_the_spans_say_holds_for_events_in_them() {
    let folder = tempfile::tempdir().unwrap();
    logging(at_info(folder.path()), |_| {
        let outer = info_span!(
            "request",
            request_id = "r-1",
            user = "nobody",
            late = tracing::field::Empty
        );
        outer.in_scope(|| {
            info!("first");
            outer.record("late", "recorded");
            info_span!("inner", user = "ada").in_scope(|| info!(step = 2, "second"));
            info_span!("inner", user = "ada").in_scope(|| info!(user = "event", "third"));
        });
        info!("outside");
        // A category is the event's: a span's does not send all that is in it elsewhere.
        info_span!("s", category = "security").in_scope(|| info!("fourth"));
    });
    let lines = lines(&folder.path().join("app.log"));
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0]["request_id"], "r-1");
    assert_eq!(lines[0]["user"], "nobody");
    assert_eq!(lines[0].get("late"), None);
    assert_eq!(lines[0]["spans"], json!(["request"]));
    assert_eq!(lines[1]["user"], "ada");
    assert_eq!(lines[1]["late"], "recorded");
    assert_eq!(lines[1]["request_id"], "r-1");
    assert_eq!(lines[1]["step"], 2);
    assert_eq!(lines[1]["spans"], json!(["request", "inner"]));
    assert_eq!(lines[2]["user"], "event");
    assert_eq!(lines[3].get("request_id"), None);
}

// ---- Disks ----

/// Logs until the files take lines again, which they may be left alone for a while before.
fn until_written(handle: &LogHandle) {
    let begun = Instant::now();
    loop {
        let before = handle.dropped();
        info!("again");
        if handle.dropped() == before {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "it does not recover"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_counted_and_used_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    // A file where the folder should be: nobody's rights help against that.
    let logs = folder.path().join("logs");
    std::fs::write(&logs, "").unwrap();
    logging(at_info(&logs), |handle| {
        info!("lost");
        info!(category = "security", "lost");
        assert_eq!(handle.dropped(), 2);
        // Of an error both lines are.
        error!("lost");
        assert_eq!(handle.dropped(), 4);
        std::fs::remove_file(&logs).unwrap();
        until_written(handle);
    });
    assert_eq!(messages(&logs)["app.log"], ["again"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_counted_and_used_when_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("app.log");
    std::os::unix::fs::symlink("/dev/full", &app).unwrap();
    logging(at_info(folder.path()), |handle| {
        info!("lost");
        info!("lost");
        assert_eq!(handle.dropped(), 2);
        // The other files have room.
        info!(category = "security", "kept");
        assert_eq!(handle.dropped(), 2);
    });
    std::fs::remove_file(&app).unwrap();
    logging(at_info(folder.path()), |handle| {
        info!("new");
        assert_eq!(handle.dropped(), 0);
    });
    assert_eq!(messages(folder.path())["app.log"], ["new"]);
    assert_eq!(messages(folder.path())["security.log"], ["kept"]);
}

/// Room is gone in the middle of a line and comes back: what is written then are whole lines. A limit on the size
/// of files stands in for the disk, in a process of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_for_a_time_tears_no_other_line() {
    let folder = tempfile::tempdir().unwrap();
    let itself = std::env::current_exe().unwrap();
    let script =
        "trap '' XFSZ; ulimit -S -f 8; exec \"$0\" --exact logs::full_for_a_time --ignored";
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(itself)
        .env("LOGS_TEST_FOLDER", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
    let text = std::fs::read_to_string(folder.path().join("app.log")).unwrap();
    let whole: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let torn = text.lines().count() - whole.len();
    assert!(torn <= 1, "{text}");
    let dropped: usize = std::fs::read_to_string(folder.path().join("dropped"))
        .unwrap()
        .parse()
        .unwrap();
    assert!(dropped > 0, "the limit was never met");
    assert_eq!(whole.len() + dropped, 121);
    assert_eq!(whole.last().unwrap()["message"], "after");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "in a process of its own, by the test above"]
fn full_for_a_time() {
    let folder = std::path::PathBuf::from(std::env::var_os("LOGS_TEST_FOLDER").unwrap());
    logging(at_info(&folder), |handle| {
        for number in 0..120 {
            info!(number, text = "x".repeat(50), "before");
        }
        let status = Command::new("prlimit")
            .args([
                "--fsize=unlimited:unlimited",
                "--pid",
                &std::process::id().to_string(),
            ])
            .status();
        assert!(status.is_ok_and(|status| status.success()), "prlimit");
        info!("after");
        std::fs::write(folder.join("dropped"), handle.dropped().to_string()).unwrap();
    });
}

#[cfg(unix)]
#[test]
fn logs_are_the_services_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("deep/logs");
    logging(at_info(&logs).max_bytes(4096).keep(2), |_| {
        for _ in 0..100 {
            error!(text = "x".repeat(100), "e");
            log_security_event!("e", "e");
            log_performance_metric!("m", 1);
        }
    });
    let mut seen = 0;
    for entry in std::fs::read_dir(&logs).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        seen += 1;
    }
    assert!(seen >= 4 + 4, "{seen}");
}

/// What is there stays: a restart goes on where the last process ended.
#[test]
fn a_restart_appends() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        logging(at_info(folder.path()).max_bytes(1 << 20), |_| info!("run"));
    }
    assert_eq!(messages(folder.path())["app.log"], ["run", "run", "run"]);
}

/// Somebody takes the file away, as `logrotate` or a person does: the lines that come are in a file that is there.
#[cfg(unix)]
#[test]
fn a_file_that_is_taken_away_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    logging(at_info(folder.path()), |handle| {
        info!("before");
        std::fs::rename(&path, folder.path().join("taken")).unwrap();
        info!("after");
        assert!(
            path.exists(),
            "{} lines were counted as lost",
            handle.dropped()
        );
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("after") && !text.contains("before"), "{text}");
    });
}

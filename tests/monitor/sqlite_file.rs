//! The file: who may read it, and what becomes of failures where it is damaged, out of reach or out of room.

use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use error_monitor::store::{
    Batch, CountDelta, CountQuery, ErrorStore, EventFilter, EventQuery, GroupBy, Series,
    SqliteStore, StoreError, StoredEvent,
};
use error_monitor::{Monitor, Range, WithoutAdmin};
use error_runtime::ErrorLayer;
use error_runtime::time::Timestamp;
use tower::ServiceExt;

use crate::util::{Fails, counted_in, flushed, number_in, report, wait_for};

async fn monitor(file: &Path) -> Monitor<WithoutAdmin> {
    let built = Monitor::builder()
        .sqlite(file)
        .samples_per_minute(1_000_000);
    built.build().await.expect("a monitor, whatever its file")
}

/// Sends requests through an application that fails, and looks at its answers: they are what they always are.
async fn requests(monitor: &Monitor<WithoutAdmin>, many: u64) {
    let app: Router = Router::new()
        .route("/fails", get(|| async { Err::<(), _>(Fails::Calendar) }))
        .layer(ErrorLayer::new().reporter(monitor.clone()))
        .layer(monitor.layer());
    for _ in 0..many {
        let request = Request::get("/fails").body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files
}

/// What was moved aside, without the files beside it.
fn damaged_in(folder: &Path) -> Vec<PathBuf> {
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.contains(".damaged-") && !name.ends_with("-wal") && !name.ends_with("-shm")
    };
    files_in(folder).into_iter().filter(is_one).collect()
}

fn kind(name: &str) -> Arc<Series> {
    Arc::new(Series {
        fingerprint: name.to_owned(),
        domain: "app".to_owned(),
        code: name.to_owned(),
        status: 500,
        route: String::new(),
        service: String::new(),
        category: "app".to_owned(),
    })
}

/// Some failures of one kind, each with a text and a request of its own.
fn batch(instance: &str, number: u64, many: u64) -> Batch {
    let series = kind("KIND");
    let minute = 1_790_000_040_000;
    // As instances do, so that two of them rarely have the same ids.
    let first = fastrand::u64(..1 << 19);
    let events = (0..many).map(|place| {
        let time = minute + number;
        StoredEvent {
            id: StoredEvent::first_id(Timestamp::from_unix_millis(time)) + first + place,
            time,
            series: Arc::clone(&series),
            level: "error".to_owned(),
            origin: "declared".to_owned(),
            message: "message".to_owned(),
            display: "x".repeat(1_000),
            chain: Vec::new(),
            details: None,
            backtrace: None,
            request_id: Some(format!("{:016x}", fastrand::u64(..))),
            trace_id: None,
            method: None,
            user: Some(format!("{:016x}", fastrand::u64(..))),
            operation: None,
            attempts: None,
        }
    });
    Batch {
        instance: instance.into(),
        number,
        sealed: minute,
        events: events.collect(),
        counts: vec![CountDelta {
            series: Arc::clone(&series),
            minute,
            count: many,
            last: minute,
        }],
        ..Batch::default()
    }
}

fn all_counts() -> CountQuery {
    CountQuery {
        range: Range {
            from: Timestamp::from_unix_millis(0),
            to: Timestamp::from_unix_millis(4_000_000_000_000),
        },
        group_by: GroupBy::Code,
        step: None,
        filter: EventFilter::default(),
    }
}

async fn total(store: &dyn ErrorStore) -> Result<u64, StoreError> {
    let rows = store.counts(&all_counts()).await?;
    Ok(rows.iter().map(|row| row.count).sum())
}

#[tokio::test]
async fn the_files_are_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deeper").join("errors.db");
    let mode = |file: &Path| std::fs::metadata(file).unwrap().permissions().mode() & 0o777;
    for was_open_to_all in [false, true] {
        if was_open_to_all {
            for file in files_in(file.parent().unwrap()) {
                std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o666)).unwrap();
            }
        }
        let monitor = monitor(&file).await;
        report(&monitor, 10);
        assert!(monitor.flush().await);
        total(monitor.store()).await.unwrap();
        let files = files_in(file.parent().unwrap());
        assert_eq!(files.len(), 3, "{files:?}");
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
        assert!(monitor.shutdown().await);
        assert_eq!(counted_in(&file), if was_open_to_all { 20 } else { 10 });
    }
}

fn overwrite(file: &Path, from: u64, many: usize) {
    let mut file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(1..))
        .take(many)
        .collect();
    file.write_all(&noise).unwrap();
}

fn overwrite_all(file: &Path) {
    let length = usize::try_from(std::fs::metadata(file).unwrap().len()).unwrap();
    overwrite(file, 0, length);
}

#[tokio::test]
async fn a_file_that_is_damaged_at_the_start_is_moved_aside() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 5] = [
        ("noise", |file| {
            std::fs::write(file, "no database".repeat(1000)).unwrap();
        }),
        ("all of it", overwrite_all),
        ("its head", |file| overwrite(file, 0, 100)),
        ("a page in the middle", |file| {
            let pages = std::fs::metadata(file).unwrap().len() / 4096;
            overwrite(file, pages / 2 * 4096, 4096);
        }),
        ("cut", |file| {
            let length = std::fs::metadata(file).unwrap().len();
            let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
            file.set_len(length / 2 / 4096 * 4096).unwrap();
        }),
    ];
    for (name, damage) in damages {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("errors.db");
        let store = SqliteStore::open(&file).unwrap();
        store.write(Arc::new(batch("one", 1, 2_000))).await.unwrap();
        store.close().await.unwrap();
        damage(&file);
        let before = std::fs::read(&file).unwrap();

        let monitor = monitor(&file).await;
        requests(&monitor, 5).await;
        report(&monitor, 30);
        assert!(monitor.flush().await, "{name}");
        assert_eq!(total(monitor.store()).await.unwrap(), 35, "{name}");
        assert!(monitor.shutdown().await, "{name}");
        assert_eq!(counted_in(&file), 35, "{name}");
        assert_eq!(
            number_in(&file, "SELECT count(*) FROM events"),
            35,
            "{name}"
        );
        // Whoever wants to mend it finds it as it was, but for the marks in its head of whoever opened it.
        let aside = damaged_in(folder.path());
        assert_eq!(aside.len(), 1, "{name}");
        let after = std::fs::read(&aside[0]).unwrap();
        assert!(after[100..] == before[100..], "{name}");
    }
}

/// A monitor on a file that is larger than what connections keep of it in memory, and then is noise.
async fn damaged_while_running(folder: &Path) -> Monitor<WithoutAdmin> {
    let file = folder.join("errors.db");
    let monitor = monitor(&file).await;
    for number in 1..=12 {
        let batch = Arc::new(batch("before", number, 2_000));
        monitor.store().write(batch).await.unwrap();
    }
    report(&monitor, 10);
    assert!(monitor.flush().await);
    overwrite_all(&file);
    overwrite_all(&folder.join("errors.db-wal"));
    monitor
}

#[tokio::test]
async fn a_file_that_a_reader_finds_damaged_is_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = damaged_while_running(folder.path()).await;
    let query = EventQuery {
        limit: 10,
        ..EventQuery::default()
    };
    wait_for("somebody to notice", async || {
        let _ = monitor.store().events(&query).await;
        !damaged_in(folder.path()).is_empty()
    })
    .await;
    requests(&monitor, 5).await;
    report(&monitor, 30);
    flushed(&monitor).await;
    assert_eq!(total(monitor.store()).await.unwrap(), 35);
    assert!(monitor.store().events(&query).await.is_ok());
    assert!(monitor.shutdown().await);
    assert_eq!(counted_in(&folder.path().join("errors.db")), 35);
    assert_eq!(damaged_in(folder.path()).len(), 1);
}

#[tokio::test]
async fn a_file_that_the_writer_finds_damaged_is_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = damaged_while_running(folder.path()).await;
    let mut number = 100;
    wait_for("somebody to notice", async || {
        number += 1;
        requests(&monitor, 1).await;
        let _ = monitor
            .store()
            .write(Arc::new(batch("after", number, 500)))
            .await;
        !damaged_in(folder.path()).is_empty()
    })
    .await;
    flushed(&monitor).await;
    let before = total(monitor.store()).await.unwrap();
    requests(&monitor, 5).await;
    report(&monitor, 30);
    flushed(&monitor).await;
    assert_eq!(total(monitor.store()).await.unwrap(), before + 35);
    assert!(monitor.shutdown().await);
    assert_eq!(counted_in(&folder.path().join("errors.db")), before + 35);
    assert_eq!(damaged_in(folder.path()).len(), 1);
}

/// Nobody need write before somebody may read.
#[tokio::test]
async fn a_new_file_is_read_before_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = damaged_while_running(folder.path()).await;
    // Whoever notices says so, once for each that reads.
    let mut said = Vec::new();
    for _ in 0..6 {
        said.push(
            total(monitor.store())
                .await
                .map_err(|error| error.to_string()),
        );
    }
    assert_eq!(damaged_in(folder.path()).len(), 1);
    assert_eq!(said.last().unwrap(), &Ok(0), "{said:?}");
}

/// As two processes would: each has its own mind of which file has the name.
#[tokio::test]
async fn a_damaged_file_is_moved_aside_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("errors.db");
    let stores = [
        SqliteStore::open(&file).unwrap(),
        SqliteStore::open(&file).unwrap(),
    ];
    for number in 1..=12 {
        for (store, name) in stores.iter().zip(["one", "two"]) {
            store
                .write(Arc::new(batch(name, number, 1_000)))
                .await
                .unwrap();
        }
    }
    for store in &stores {
        total(store).await.unwrap();
    }
    overwrite_all(&file);
    overwrite_all(&folder.path().join("errors.db-wal"));
    // Looks through more than a connection keeps in memory.
    let mut query = EventQuery {
        limit: 10,
        ..EventQuery::default()
    };
    query.filter.code = Some("NOBODY".to_owned());
    let notices = async |store: &SqliteStore| {
        let mut said = Vec::new();
        for _ in 0..6 {
            said.push(store.events(&query).await.map(|_| ()));
        }
        said
    };
    notices(&stores[0]).await;
    stores[0]
        .write(Arc::new(batch("one", 100, 7)))
        .await
        .unwrap();
    assert_eq!(damaged_in(folder.path()).len(), 1);
    // The other one has the damaged file open still.
    notices(&stores[1]).await;
    let mut number = 100;
    wait_for("the other to go on", async || {
        number += 1;
        stores[1]
            .write(Arc::new(batch("two", number, 1)))
            .await
            .is_ok()
    })
    .await;
    let aside = damaged_in(folder.path());
    assert_eq!(aside.len(), 1, "a sound file was moved aside");
    assert!(counted_in(&file) >= 7);
}

#[tokio::test]
async fn failures_wait_for_a_path_that_is_no_folder_yet() {
    let folder = tempfile::tempdir().unwrap();
    let parent = folder.path().join("data");
    std::fs::write(&parent, "in the way").unwrap();
    let monitor = monitor(&parent.join("errors.db")).await;
    requests(&monitor, 40).await;
    assert!(!monitor.flush().await);
    requests(&monitor, 40).await;
    assert!(!monitor.flush().await);
    assert!(
        total(monitor.store())
            .await
            .is_err_and(|error| error.is_passing())
    );
    std::fs::remove_file(&parent).unwrap();
    requests(&monitor, 20).await;
    flushed(&monitor).await;
    assert_eq!(total(monitor.store()).await.unwrap(), 100);
    assert!(monitor.shutdown().await);
    let file = parent.join("errors.db");
    assert_eq!(counted_in(&file), 100);
    assert_eq!(number_in(&file, "SELECT count(*) FROM events"), 100);
    assert_eq!(
        number_in(&file, "SELECT sum(total) FROM request_minutes"),
        100
    );
}

#[tokio::test]
async fn a_path_that_is_never_there_harms_no_request() {
    let monitor = monitor(Path::new("/proc/no-such-folder/errors.db")).await;
    requests(&monitor, 50).await;
    assert!(!monitor.flush().await);
    assert!(total(monitor.store()).await.is_err());
    requests(&monitor, 50).await;
}

/// A small disk of its own.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(folder));
        }
        // Not one of the services that must be there: it takes rights.
        println!("skipped: nothing may be mounted here");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[tokio::test]
async fn failures_wait_for_a_disk_that_is_read_only() {
    let Some(disk) = Disk::mount("size=16m,ro") else {
        return;
    };
    let file = disk.path().join("errors.db");
    let monitor = monitor(&file).await;
    requests(&monitor, 40).await;
    assert!(!monitor.flush().await);
    requests(&monitor, 40).await;
    let mut remount = Command::new("mount");
    remount.args(["-o", "remount,rw"]).arg(disk.path());
    assert!(remount.status().unwrap().success());
    requests(&monitor, 20).await;
    flushed(&monitor).await;
    assert!(monitor.shutdown().await);
    assert_eq!(counted_in(&file), 100);
    assert_eq!(number_in(&file, "SELECT count(*) FROM events"), 100);
}

#[tokio::test]
async fn failures_wait_for_room_on_the_disk() {
    let Some(disk) = Disk::mount("size=8m") else {
        return;
    };
    let file = disk.path().join("errors.db");
    let monitor = monitor(&file).await;
    let mut sent = 500;
    requests(&monitor, sent).await;
    assert!(monitor.flush().await);
    for round in 0..3 {
        let filler = disk.path().join("filler");
        let mut full = std::fs::File::create(&filler).unwrap();
        while full.write_all(&[7; 4096]).is_ok() {}
        drop(full);
        for _ in 0..5 {
            requests(&monitor, 200).await;
            sent += 200;
            monitor.flush().await;
        }
        assert!(
            !monitor.flush().await,
            "round {round}: the disk is not full"
        );
        // What is there is still told.
        assert!(total(monitor.store()).await.is_ok(), "round {round}");
        std::fs::remove_file(filler).unwrap();
        flushed(&monitor).await;
        assert_eq!(total(monitor.store()).await.unwrap(), sent, "round {round}");
    }
    assert!(monitor.shutdown().await);
    assert_eq!(counted_in(&file), sent);
    assert_eq!(number_in(&file, "SELECT count(*) FROM events"), sent);
    assert_eq!(
        number_in(&file, "SELECT sum(total) FROM request_hours"),
        sent
    );
    assert!(damaged_in(disk.path()).is_empty());
}

const CHILD_FILE: &str = "MONITOR_TEST_CHILD_FILE";
const CHILD_NAME: &str = "MONITOR_TEST_CHILD_NAME";

/// Not a test of its own: another process at the file of a test, which comes and goes.
#[tokio::test]
#[ignore = "a part of other tests, which start it"]
async fn child() {
    let Some(file) = std::env::var_os(CHILD_FILE) else {
        return;
    };
    let name = std::env::var(CHILD_NAME).unwrap();
    for round in 0..3 {
        let store = SqliteStore::open(&file).unwrap();
        for number in 1..=5 {
            let batch = Arc::new(batch(&format!("{name}-{round}"), number, 10));
            store.write(batch).await.unwrap();
        }
        total(&store).await.unwrap();
        store.close().await.unwrap();
    }
}

/// What the child writes.
const CHILD_WRITES: u64 = 3 * 5 * 10;

fn start_child(file: &Path, name: &str) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite_file::child", "--ignored", "--nocapture"])
        .env(CHILD_FILE, file)
        .env(CHILD_NAME, name)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// A process that closes the file last clears up after all: it must not take itself for the last.
#[tokio::test]
async fn a_process_that_leaves_takes_nothing_from_one_that_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("errors.db");
    let store = SqliteStore::open(&file).unwrap();
    let mut sent = 0;
    for number in 1..=4 {
        store
            .write(Arc::new(batch("stays", number, 10)))
            .await
            .unwrap();
        // Opens connections to read with, beside the one that writes.
        total(&store).await.unwrap();
        assert!(
            start_child(&file, &format!("{number}"))
                .wait()
                .unwrap()
                .success()
        );
        sent += 10 + CHILD_WRITES;
        assert_eq!(total(&store).await.unwrap(), sent, "after {number} of them");
    }
    store.write(Arc::new(batch("stays", 9, 10))).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(
        number_in(
            &file,
            "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"
        ),
        0
    );
    assert_eq!(counted_in(&file), sent + 10);
    assert_eq!(number_in(&file, "SELECT count(*) FROM events"), sent + 10);
}

#[tokio::test]
async fn processes_count_together_in_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("errors.db");
    let monitor = monitor(&file).await;
    let mut children: Vec<_> = (0..3)
        .map(|name| start_child(&file, &name.to_string()))
        .collect();
    let mut sent = 0;
    while children
        .iter_mut()
        .any(|child| child.try_wait().unwrap().is_none())
    {
        report(&monitor, 20);
        sent += 20;
        flushed(&monitor).await;
        let _ = total(monitor.store()).await;
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    report(&monitor, 20);
    flushed(&monitor).await;
    assert_eq!(
        total(monitor.store()).await.unwrap(),
        sent + 20 + 3 * CHILD_WRITES
    );
    assert!(monitor.shutdown().await);
    assert_eq!(counted_in(&file), sent + 20 + 3 * CHILD_WRITES);
    assert!(damaged_in(folder.path()).is_empty());
}

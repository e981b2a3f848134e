//! A `PostgreSQL` of the tests' own: on a free port, in a folder that goes with it.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// A server. It ends when this is dropped, and with the process, however that ends.
pub(crate) struct Server {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    /// Waits for its input to end, and then stops the server and removes the folder.
    keeper: Child,
}

/// Says why a test does nothing; where services must be there, that is a failure.
pub(crate) fn skip(why: &str) {
    assert!(
        std::env::var_os("REQUIRE_SERVICES").is_none_or(|value| value != "1"),
        "REQUIRE_SERVICES=1, but {why}"
    );
    println!("skipped: {why}");
}

/// The server that most tests share, each with a database of its own.
fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(Server::start).as_ref()
}

/// The URL of a database that nobody has used.
pub(crate) fn database() -> Option<String> {
    shared().map(Server::database)
}

/// What `psql` says to this, without decoration.
pub(crate) fn sql(url: &str, statement: &str) -> String {
    let output = Command::new(programs().map_or_else(|| "psql".into(), |at| at.join("psql")))
        .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"])
        .args(["-d", url, "-c", statement])
        .output()
        .expect("psql runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{statement}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Where the server's programs are: in `PATH`, or where distributions hide them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    folders.sort();
    folders.reverse();
    folders.extend(std::env::split_paths(&path));
    let all = ["initdb", "pg_ctl", "postgres", "psql"];
    folders
        .into_iter()
        .find(|folder| all.iter().all(|name| folder.join(name).is_file()))
}

fn succeeds(command: &mut Command) -> bool {
    // A server that inherited a pipe would keep whoever reads it waiting.
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

impl Server {
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            skip("there are no programs of PostgreSQL");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder").keep();
        // PostgreSQL does not run as root: then it runs as the user that its package has made.
        let is_root = std::fs::metadata(&folder).is_ok_and(|folder| folder.uid() == 0);
        if is_root {
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&folder, mode).expect("a folder of one's own");
            if !succeeds(Command::new("chown").arg("postgres").arg(&folder)) {
                let _ = std::fs::remove_dir_all(&folder);
                skip("PostgreSQL does not run as root, and there is no user `postgres`");
                return None;
            }
        }
        let keeper = keep(&programs, &folder, is_root);
        let mut server = Self {
            folder,
            programs,
            port: 0,
            keeper,
        };
        let mut initdb = server.program("initdb", is_root);
        initdb
            .arg("-D")
            .arg(server.folder.join("data"))
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8"])
            .args(["--locale=C", "--no-sync"]);
        assert!(succeeds(&mut initdb), "initdb failed");
        // Somebody else may take the port in between.
        for _ in 0..5 {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            server.port = listener.local_addr().expect("an address").port();
            drop(listener);
            if server.try_run() {
                return Some(server);
            }
        }
        let log = std::fs::read_to_string(server.folder.join("log")).unwrap_or_default();
        panic!("PostgreSQL does not start: {log}");
    }

    fn program(&self, name: &str, is_root: bool) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder).env("LC_ALL", "C");
        command
    }

    fn try_run(&self) -> bool {
        let data = self.folder.join("data");
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        let options = format!(
            "-p {} -k {} -h 127.0.0.1 -F -c max_connections=400 -c log_min_messages=warning",
            self.port,
            self.folder.display()
        );
        let mut start = self.program("pg_ctl", is_root);
        start.arg("-D").arg(&data).arg("-l");
        start.arg(self.folder.join("log"));
        start.args(["-o", &options, "-w", "-t", "60", "start"]);
        succeeds(&mut start)
    }

    /// Starts it again after it was killed.
    pub(crate) fn run(&self) {
        // Where nobody collects the dead, the server takes its predecessor for alive.
        let _ = std::fs::remove_file(self.folder.join("data/postmaster.pid"));
        let port = self.port;
        let _ = std::fs::remove_file(self.folder.join(format!(".s.PGSQL.{port}.lock")));
        let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(self.try_run(), "PostgreSQL does not start again: {}", log());
    }

    pub(crate) fn url(&self, database: &str) -> String {
        let port = self.port;
        format!("postgres://postgres@127.0.0.1:{port}/{database}?sslmode=disable")
    }

    pub(crate) fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        sql(&self.url("postgres"), &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// The server's processes, the first of them first: one that is stopped has no more children.
    fn processes(&self) -> Vec<u32> {
        let file = std::fs::read_to_string(self.folder.join("data/postmaster.pid"));
        let first = file.ok().and_then(|file| file.lines().next()?.parse().ok());
        let Some(first) = first else {
            return Vec::new();
        };
        let mut all = vec![first];
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let parent = stat
                .rsplit(')')
                .next()
                .and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
            if parent == Some(first) {
                all.extend(
                    entry
                        .file_name()
                        .to_str()
                        .and_then(|id| id.parse::<u32>().ok()),
                );
            }
        }
        all
    }

    fn signal(&self, name: &str) -> Vec<u32> {
        let mut sent: Vec<u32> = Vec::new();
        // Twice: it may have begun a process while it was looked for them.
        for _ in 0..2 {
            for process in self.processes() {
                let id = process.to_string();
                if !sent.contains(&process)
                    && succeeds(Command::new("kill").args(["-s", name, &id]))
                {
                    sent.push(process);
                }
            }
        }
        assert!(!sent.is_empty(), "no server to signal");
        sent
    }

    /// It answers nothing any more, and keeps its connections.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    /// As if its machine had failed; [`run`](Self::run) starts it again.
    pub(crate) fn kill(&self) {
        let killed = self.signal("KILL");
        let is_there = |id: &u32| {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            stat.rsplit(')')
                .next()
                .is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with(['Z', 'X']))
        };
        while killed.iter().any(is_there) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Outlives the test's process by as long as it takes to clean up after it, even if that was killed.
fn keep(programs: &Path, folder: &Path, is_root: bool) -> Child {
    let script = r#"
        trap '' INT TERM HUP
        read -r _
        cd /
        first=$(head -n 1 "$2/data/postmaster.pid" 2>/dev/null)
        if [ -n "$first" ]; then
            # One that is stopped does not hear that it should end.
            kill -s CONT "$first" $(pgrep -P "$first")
            $3 "$1/pg_ctl" -D "$2/data" -m immediate -t 20 stop || kill -s KILL "$first" $(pgrep -P "$first")
        fi
        rm -rf "$2"
    "#;
    let user = if is_root {
        "setpriv --reuid=postgres --regid=postgres --clear-groups"
    } else {
        ""
    };
    Command::new("sh")
        .args(["-c", script, "keeper"])
        .arg(programs)
        .arg(folder)
        .arg(user)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell")
}

#[test]
fn a_server_ends_with_its_owner() {
    let Some(server) = Server::start() else {
        return;
    };
    let url = server.database();
    assert_eq!(sql(&url, "SELECT 1 + 1"), "2");
    server.freeze();
    server.thaw();
    assert_eq!(sql(&url, "SELECT 1 + 2"), "3");
    server.kill();
    server.run();
    assert_eq!(sql(&url, "SELECT 1 + 3"), "4");
    server.freeze();
    let (folder, processes) = (server.folder.clone(), server.processes());
    assert!(folder.exists() && processes.len() > 1);
    drop(server);
    assert!(!folder.exists());
    for id in processes {
        let name = std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        assert!(
            !name.contains("postgres") || state.contains(") Z"),
            "{id} is still there"
        );
    }
}

/// An authority of the test's own, and a certificate of it for this machine. False where openssl is missing.
fn certificates(folder: &Path) -> bool {
    let openssl =
        |arguments: &[&str]| succeeds(Command::new("openssl").current_dir(folder).args(arguments));
    std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").expect("a file");
    let authority = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=tests",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
    ];
    let request = [
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=127.0.0.1",
        "-keyout",
        "server.key",
        "-out",
        "server.csr",
    ];
    let signed = [
        "x509",
        "-req",
        "-in",
        "server.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        "names",
        "-out",
        "server.crt",
    ];
    openssl(&authority) && openssl(&request) && openssl(&signed)
}

/// Encrypted, and with somebody whose certificate is right, or not at all.
#[tokio::test]
async fn connections_are_encrypted_and_certificates_checked() {
    use error_monitor::ErrorStore as _;
    use error_monitor::store::PostgresStore;

    let Some(server) = Server::start() else {
        return;
    };
    let plain = server.url("postgres").replace("?sslmode=disable", "");
    let folder = tempfile::tempdir().expect("a folder");
    if !certificates(folder.path()) {
        return skip("there is no openssl");
    }
    let with_authority = format!(
        "{plain}?sslrootcert={}",
        folder.path().join("ca.pem").display()
    );
    let ping = async |url: &str| PostgresStore::new(url).expect("a URL").ping().await;
    // A server that does without is not taken at its word: so could anybody who stands between say.
    let refused = ping(&with_authority)
        .await
        .expect_err("it has no encryption");
    assert!(refused.to_string().contains("TLS"), "{refused}");

    let data = server.folder.join("data");
    for name in ["server.key", "server.crt"] {
        std::fs::copy(folder.path().join(name), data.join(name)).expect("a copy");
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(data.join(name), mode).expect("a mode");
        if std::fs::metadata(&data).is_ok_and(|data| data.uid() != 0) {
            // As root: the server's user must be able to read it.
            let _ = succeeds(Command::new("chown").arg("postgres").arg(data.join(name)));
        }
    }
    sql(&server.url("postgres"), "ALTER SYSTEM SET ssl = on");
    sql(&server.url("postgres"), "SELECT pg_reload_conf()");
    super::util::wait_for("the server to encrypt", async || {
        sql(&server.url("postgres"), "SHOW ssl") == "on" && ping(&with_authority).await.is_ok()
    })
    .await;
    let store = PostgresStore::new(&with_authority).expect("a URL");
    store.ping().await.expect("it is reached");
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                     WHERE application_name = 'error-monitor'";
    assert_eq!(sql(&server.url("postgres"), encrypted), "t");
    // Its certificate is nobody's that the world knows.
    let unknown = ping(&plain)
        .await
        .expect_err("the certificate is not checked");
    assert!(unknown.to_string().contains("certificate"), "{unknown}");
}

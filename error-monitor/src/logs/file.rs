//! A file that is put aside when it has grown enough. No crate at hand rotates by size, keeps a number, and
//! goes on when the disk is full: that is what this does, and nothing else.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(super) struct RotatingFile {
    path: PathBuf,
    max_bytes: u64,
    keep: usize,
    dropped: Arc<AtomicU64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: Option<Open>,
    /// After a failure nothing is tried before that.
    not_before: Option<Instant>,
}

struct Open {
    file: File,
    length: u64,
    /// A line was written in part: the next begins with an end of line.
    torn: bool,
    /// Which file it is: one that somebody has moved away is not written to any more.
    inode: Option<u64>,
}

/// How long a file that cannot be opened is left alone.
const PAUSE: Duration = Duration::from_secs(1);

impl RotatingFile {
    pub(super) fn new(
        path: PathBuf,
        max_bytes: u64,
        keep: usize,
        dropped: &Arc<AtomicU64>,
    ) -> Self {
        Self {
            path,
            max_bytes,
            keep,
            dropped: Arc::clone(dropped),
            state: Mutex::default(),
        }
    }

    /// Writes a line, which has its end. One that cannot be written is dropped and counted.
    pub(super) fn write(&self, line: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.try_write(&mut state, line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn try_write(&self, state: &mut State, line: &[u8]) -> std::io::Result<()> {
        if state
            .open
            .as_ref()
            .is_some_and(|open| open.inode != inode(&self.path))
        {
            state.open = None;
        }
        if state
            .open
            .as_ref()
            .is_some_and(|open| open.length > 0 && open.length + line.len() as u64 > self.max_bytes)
        {
            state.open = None;
            // A file that cannot be put aside grows on: lines are worth more than its limit.
            let _ = self.rotate();
        }
        if state.open.is_none() {
            if state.not_before.is_some_and(|time| Instant::now() < time) {
                return Err(std::io::ErrorKind::WouldBlock.into());
            }
            match open(&self.path) {
                Ok(opened) => {
                    state.not_before = None;
                    state.open = Some(opened);
                }
                Err(error) => {
                    state.not_before = Some(Instant::now() + PAUSE);
                    return Err(error);
                }
            }
        }
        let Some(open) = &mut state.open else {
            return Ok(());
        };
        if open.torn {
            open.file.write_all(b"\n")?;
            (open.torn, open.length) = (false, open.length + 1);
        }
        let written = write_counted(&mut open.file, line);
        match written {
            Ok(()) => {
                open.length += line.len() as u64;
                Ok(())
            }
            Err((part, error)) => {
                open.torn = part > 0;
                open.length += part as u64;
                Err(error)
            }
        }
    }

    /// `app.log` becomes `app.log.1`, that becomes `app.log.2`, and the last goes.
    fn rotate(&self) -> std::io::Result<()> {
        if self.keep == 0 {
            return std::fs::remove_file(&self.path);
        }
        for number in (1..self.keep).rev() {
            let from = self.aside(number);
            if from.exists() {
                std::fs::rename(from, self.aside(number + 1))?;
            }
        }
        std::fs::rename(&self.path, self.aside(1))
    }

    fn aside(&self, number: usize) -> PathBuf {
        let mut path = self.path.as_os_str().to_owned();
        path.push(format!(".{number}"));
        path.into()
    }
}

/// Writes all of it, or says how much was written.
fn write_counted(file: &mut File, bytes: &[u8]) -> Result<(), (usize, std::io::Error)> {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return Err((written, std::io::ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

/// Logs tell of users: they are the service's alone.
fn open(path: &Path) -> std::io::Result<Open> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(path)?;
    let length = file.metadata()?.len();
    Ok(Open {
        file,
        length,
        torn: false,
        inode: inode(path),
    })
}

#[cfg(unix)]
fn inode(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|file| file.ino())
}

#[cfg(not(unix))]
fn inode(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_put_aside_and_no_line_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let dropped = Arc::new(AtomicU64::new(0));
        let file = RotatingFile::new(folder.path().join("logs/app.log"), 100, 50, &dropped);
        for number in 0..200 {
            file.write(format!("line {number:03}\n").as_bytes());
        }
        let mut lines = Vec::new();
        for number in (0..=50).rev() {
            let path = if number == 0 {
                file.path.clone()
            } else {
                file.aside(number)
            };
            if let Ok(text) = std::fs::read_to_string(path) {
                assert!(text.len() <= 100);
                lines.extend(text.lines().map(str::to_owned));
            }
        }
        let all: Vec<_> = (0..200).map(|number| format!("line {number:03}")).collect();
        assert_eq!(lines, all);
        assert_eq!(dropped.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn only_so_many_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = RotatingFile::new(folder.path().join("app.log"), 10, 2, &Arc::default());
        for number in 0..9 {
            file.write(format!("line {number}\n").as_bytes());
        }
        let mut names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["app.log", "app.log.1", "app.log.2"]);
        assert_eq!(std::fs::read_to_string(file.aside(2)).unwrap(), "line 6\n");
    }

    #[test]
    fn what_cannot_be_written_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        // A file where the folder should be.
        std::fs::write(folder.path().join("logs"), "").unwrap();
        let dropped = Arc::new(AtomicU64::new(0));
        let file = RotatingFile::new(folder.path().join("logs/app.log"), 100, 1, &dropped);
        file.write(b"lost\n");
        file.write(b"lost\n");
        assert_eq!(dropped.load(Ordering::Relaxed), 2);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_counted() {
        let dropped = Arc::new(AtomicU64::new(0));
        let file = RotatingFile::new("/dev/full".into(), u64::MAX, 1, &dropped);
        file.write(b"lost\n");
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    }
}

//! The file: how it is opened, and what is done when it is damaged.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::schema;
use crate::store::StoreError;

/// A file that several threads have open.
pub(super) struct File {
    path: PathBuf,
    /// One more each time it was moved aside; held while it is opened or moved.
    generation: Mutex<u64>,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// A connection, and which of the files of this name it belongs to.
pub(super) struct Open {
    pub(super) connection: Connection,
    pub(super) generation: u64,
    /// Which file it is: one that was deleted can be written to still, and nobody would ever read it.
    inode: Option<u64>,
}

/// Another process may be writing; it is done within this time, or something is wrong with it.
const BUSY: Duration = Duration::from_secs(5);

/// Checking a larger file would keep a service from starting; damage in it is met when it is read.
const CHECKED_BYTES: u64 = 64 << 20;

impl File {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            generation: Mutex::new(0),
        }
    }

    pub(super) fn is_current(&self, open: &Open) -> bool {
        let generation = *self
            .generation
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        generation == open.generation && inode(&self.path) == open.inode
    }

    pub(super) fn open(&self, access: Access) -> Result<Open, StoreError> {
        let mut generation = self
            .generation
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let connection = match self.connect(access) {
            Err(error @ StoreError::Damaged(_)) => {
                self.rename(&error)?;
                *generation += 1;
                self.connect(access)?
            }
            other => other?,
        };
        Ok(Open {
            connection,
            generation: *generation,
            inode: inode(&self.path),
        })
    }

    /// Moves the file aside, unless somebody else has done it since `generation`.
    pub(super) fn move_aside(&self, generation: u64, why: &StoreError) {
        let mut current = self
            .generation
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *current == generation {
            match self.rename(why) {
                Ok(()) => *current += 1,
                Err(error) => {
                    tracing::error!(%error, "a damaged error store cannot be moved aside");
                }
            }
        }
    }

    fn rename(&self, why: &StoreError) -> Result<(), StoreError> {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let aside = beside(&self.path, &format!(".damaged-{}", now.as_millis()));
        let unavailable = |error: std::io::Error| StoreError::Unavailable(error.to_string());
        std::fs::rename(&self.path, &aside).map_err(unavailable)?;
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::rename(beside(&self.path, suffix), beside(&aside, suffix));
        }
        tracing::error!(error = %why, file = %self.path.display(), moved_to = %aside.display(),
            "the error store is damaged; it was moved aside, and a new one is begun");
        Ok(())
    }

    fn connect(&self, access: Access) -> Result<Connection, StoreError> {
        if let Some(folder) = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder).map_err(|error| {
                StoreError::Unavailable(format!("{}: {error}", folder.display()))
            })?;
        }
        make_private(&self.path).map_err(|error| {
            StoreError::Unavailable(format!("{}: {error}", self.path.display()))
        })?;
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let mut connection = Connection::open_with_flags(&self.path, flags)?;
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "foreign_keys", false)?;
            connection.pragma_update(None, "temp_store", "memory")?;
            connection.pragma_update(None, "cache_size", -8192)?;
            connection.set_prepared_statement_cache_capacity(64);
            // Who only reads changes nothing of a file that is there, and may be on a disk that is full. A new one may
            // be read before it is written: then whoever comes first makes it.
            let is_made = access == Access::Read && schema::is_current(&connection)?;
            let ready = if is_made {
                Ok(())
            } else {
                // Before there are tables: it cannot be changed later without writing the file anew.
                connection.pragma_update(None, "auto_vacuum", "incremental")?;
                connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
                connection.pragma_update(None, "synchronous", "normal")?;
                connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
                connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
                schema::migrate(&mut connection)?
            };
            if access == Access::Read {
                connection.pragma_update(None, "query_only", true)?;
            } else if std::fs::metadata(&self.path).is_ok_and(|file| file.len() <= CHECKED_BYTES) {
                schema::check(&connection)?;
            }
            Ok((connection, ready))
        };
        let (connection, ready) = open().map_err(|error| self.explain(&error))?;
        ready?;
        Ok(connection)
    }

    /// What an error of `SQLite` means for the store.
    pub(super) fn explain(&self, error: &rusqlite::Error) -> StoreError {
        let text = error.to_string();
        let Some(code) = error.sqlite_error_code() else {
            return StoreError::Failed(text);
        };
        match code {
            // A file that is there and is no database is as useless as a damaged one.
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged(text),
            ErrorCode::DiskFull => StoreError::Full(text),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
            ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::SystemIoFailure
            | ErrorCode::FileLockingProtocolFailed => {
                StoreError::Unavailable(format!("{}: {text}", self.path.display()))
            }
            _ => StoreError::Failed(text),
        }
    }
}

/// The file's path with something at its end.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
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

/// Errors tell of users and of the inside of a service: they are the service's alone. SQLite gives its other
/// files the same mode.
///
/// A file that is there is never opened here: closing it would give up the locks that SQLite holds on it for the
/// whole of the process, and two processes would write over each other.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(path) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mut permissions = std::fs::metadata(path)?.permissions();
        if permissions.mode() & 0o077 != 0 {
            permissions.set_mode(0o600);
            std::fs::set_permissions(path, permissions)?;
        }
    }
    Ok(())
}

//! A SQLite file is one server's. A second one would take up what the first one runs: each would give commands to its own
//! workers and believe the other's to be gone.
//!
//! So a server holds a lock on a file beside the database, `pulse.db-server`, as long as it lives; the system takes it back
//! however the process ends. Not on the database itself: closing any descriptor of that would drop SQLite's own locks. And
//! it looks whether the path still leads to the file that it opened: what is written to a file without a name is lost.

use crate::Error;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What is put behind the database's name.
const SUFFIX: &str = "-server";
/// How long a process that has just been killed may take to be gone.
const DYING: Duration = Duration::from_secs(1);
/// Between two tries to get the lock.
const AGAIN: Duration = Duration::from_millis(20);
/// Between two looks at the file.
const INTERVAL: Duration = Duration::from_secs(1);

/// What keeps other servers away from a database, and what file that is. Nothing where the database is no file.
#[derive(Debug, Default)]
pub(crate) struct Sole {
    path: Option<PathBuf>,
    /// Released with this. Or why there is none.
    lock: Option<io::Result<File>>,
    /// Device and inode, once the database is open. While it is no other file gets them.
    file: Option<(u64, u64)>,
}

impl Sole {
    /// Keeps others away from a database, before it is opened.
    ///
    /// # Errors
    /// When another server uses it.
    pub async fn of(url: &str) -> Result<Self, Error> {
        let Some(path) = url.strip_prefix("sqlite://").map(Path::new).filter(|path| !path.as_os_str().is_empty())
        else {
            return Ok(Self::default());
        };
        if path.is_dir() {
            return Ok(Self::default());
        }
        let lock = match open_lock(path) {
            Ok(lock) => match taken(&lock).await {
                Ok(true) => Ok(lock),
                Ok(false) => return Err(Error::InUse { path: path.to_owned() }),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        Ok(Self { path: Some(path.to_owned()), lock: Some(lock), file: None })
    }

    /// The database is open: from now on it is known which file it is. Whatever kept the lock from being made is told only
    /// now, for it may have kept the database from being opened, which says so itself.
    pub fn opened(&mut self) {
        let Some(path) = &self.path else { return };
        if let Some(Err(error)) = &self.lock {
            tracing::warn!(database = %path.display(), %error, "no lock keeps a second server away from the database");
        }
        self.file = fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    }

    /// Waits until the path does not lead to that file any more, for ever where there is none. What cannot be found out
    /// counts as there.
    pub async fn gone(&self) -> Error {
        let (Some(path), Some(file)) = (&self.path, self.file) else { return std::future::pending().await };
        while is_there(path, file) {
            sleep(INTERVAL).await;
        }
        Error::Gone { path: path.clone() }
    }
}

fn is_there(path: &Path, file: (u64, u64)) -> bool {
    match fs::metadata(path) {
        Ok(named) => (named.dev(), named.ino()) == file,
        Err(error) => {
            !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::StaleNetworkFileHandle)
        }
    }
}

async fn taken(lock: &File) -> io::Result<bool> {
    let deadline = Instant::now() + DYING;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if Instant::now() > deadline => return Ok(false),
            Err(TryLockError::WouldBlock) => sleep(AGAIN).await,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// The lock's file: beside the database itself, whatever links lead there. The database need not exist.
fn open_lock(path: &Path) -> io::Result<File> {
    let real = match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
            fs::canonicalize(parent)?.join(path.file_name().ok_or(ErrorKind::InvalidFilename)?)
        }
        found => found?,
    };
    let mut name = real.into_os_string();
    name.push(SUFFIX);
    File::options().create(true).truncate(false).write(true).mode(0o600).open(name)
}

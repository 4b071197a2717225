//! The state directory: made once, private, used by one process at a time, with the worker's id in `worker.json`.

use super::origin;
use crate::Error;
use pulse_core::ids::WorkerId;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The format of `worker.json`.
const FORMAT: u32 = 1;

/// A state directory that this process holds. The lock goes with it, however the process ends.
#[derive(Debug)]
pub struct StateDir {
    /// Where it is.
    pub path: PathBuf,
    /// The worker's id.
    pub worker_id: WorkerId,
    /// Its lock, by which it is known again.
    pub place: Place,
    _lock: File,
}

/// Where the lock file is that a process holds: the directory around it may be removed or replaced, and then everything
/// under its path is another's.
#[derive(Debug, Clone)]
pub struct Place {
    path: PathBuf,
    /// Device and inode. While the file is held no other one gets them.
    file: (u64, u64),
}

impl Place {
    /// The place of a file that is open.
    ///
    /// # Errors
    /// When the system does not tell which file it is.
    pub fn of(file: &File, path: impl Into<PathBuf>) -> io::Result<Self> {
        let held = file.metadata()?;
        Ok(Self { path: path.into(), file: (held.dev(), held.ino()) })
    }

    /// Whether the file is still the one of its path. What cannot be found out counts as there.
    pub fn is_there(&self) -> bool {
        match fs::metadata(&self.path) {
            Ok(named) => (named.dev(), named.ino()) == self.file,
            Err(error) => !matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::StaleNetworkFileHandle
            ),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Identity {
    format: u32,
    worker_id: WorkerId,
}

impl StateDir {
    /// Takes the directory, and makes it and the worker's id where they do not exist.
    ///
    /// # Errors
    /// When another process has it, when it is a copy or a directory of something else, or when it cannot be read and
    /// written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let io_error = |error: io::Error| Error::state(path, &error);
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io_error)?;
        let path = &path.canonicalize().map_err(io_error)?;
        let identity = path.join("worker.json");
        let lock_file = path.join("lock");
        let is_new = !identity.exists();
        if is_new && !lock_file.exists() && fs::read_dir(path).map_err(io_error)?.next().is_some() {
            return Err(Error::StateDir {
                path: path.clone(),
                reason: "is not empty, and no worker made it".into(),
                hint: "set PULSE_WORKER_STATE to a directory of its own; it is made when it does not exist",
            });
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(io_error)?;
        let lock = lock(&lock_file)
            .map_err(|error| Error::state(&lock_file, &error))?
            .ok_or_else(|| Error::StateInUse { path: path.clone() })?;
        let place = Place::of(&lock, &lock_file).map_err(|error| Error::state(&lock_file, &error))?;
        origin::check(path)?;
        let worker_id = if is_new { make_identity(path, &identity)? } else { read_identity(&identity)? };
        Ok(Self { path: path.clone(), worker_id, place, _lock: lock })
    }
}

/// Takes a lock for as long as the file stays open; none when another process has it.
///
/// # Errors
/// When the file cannot be made or locked.
pub fn lock(path: &Path) -> io::Result<Option<File>> {
    let lock = private().create(true).truncate(false).write(true).open(path)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(lock)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

fn make_identity(dir: &Path, file: &Path) -> Result<WorkerId, Error> {
    let identity = Identity { format: FORMAT, worker_id: WorkerId(Uuid::now_v7()) };
    let text = serde_json::to_string(&identity).expect("plain data becomes JSON");
    replace(dir, file, |out| out.write_all(text.as_bytes())).map_err(|error| Error::state(file, &error))?;
    Ok(identity.worker_id)
}

fn read_identity(file: &Path) -> Result<WorkerId, Error> {
    let text = fs::read_to_string(file).map_err(|error| Error::state(file, &error))?;
    let corrupt = |reason: String| Error::StateCorrupt { path: file.to_owned(), reason };
    let identity: Identity =
        serde_json::from_str(&text).map_err(|error| corrupt(format!("cannot be read: {error}")))?;
    if identity.format != FORMAT {
        return Err(newer_or(identity.format, FORMAT).map_or_else(
            || corrupt(format!("has format {}, this program knows {FORMAT}", identity.format)),
            |reason| Error::StateDir { path: file.to_owned(), reason, hint: NEWER },
        ));
    }
    Ok(identity.worker_id)
}

/// What to do about a directory of a newer program.
const NEWER: &str = "install that version again, or give this one a directory of its own with PULSE_WORKER_STATE";

/// What is wrong with a newer format.
fn newer_or(format: u32, known: u32) -> Option<String> {
    (format > known).then(|| format!("was written by a newer version of this program (format {format}, not {known})"))
}

/// How files of the directory are opened: for the owner only.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Writes a file anew so that after a crash there is either the old one or the new one. Gives the open file.
pub fn replace(dir: &Path, file: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<File> {
    let new = file.with_extension("new");
    let written = (|| {
        let mut out = private().create(true).truncate(true).write(true).open(&new)?;
        write(&mut out)?;
        out.sync_all()?;
        fs::rename(&new, file)?;
        File::open(dir)?.sync_all()?;
        Ok(out)
    })();
    if written.is_err() {
        // What is left of it takes room that the next try needs.
        let _ = fs::remove_file(&new);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_kept_and_a_second_holder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        let first = StateDir::open(&path).unwrap();
        assert!(matches!(StateDir::open(&path), Err(Error::StateInUse { .. })));
        let id = first.worker_id;
        drop(first);
        assert_eq!(StateDir::open(&path).unwrap().worker_id, id);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(path.join("worker.json")).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_directory_that_was_removed_or_replaced_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let (path, away) = (dir.path().join("state"), dir.path().join("away"));
        let first = StateDir::open(&path).unwrap();
        assert!(first.place.is_there());
        fs::rename(&path, &away).unwrap();
        assert!(!first.place.is_there());
        // Another worker's, under the same path.
        let second = StateDir::open(&path).unwrap();
        assert_eq!((first.place.is_there(), second.place.is_there()), (false, true));
        fs::remove_dir_all(&path).unwrap();
        fs::write(&path, "").unwrap();
        assert!(!second.place.is_there());
        fs::remove_file(&path).unwrap();
        fs::rename(&away, &path).unwrap();
        assert!(first.place.is_there());
    }

    #[test]
    fn a_directory_of_something_else_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.tex"), "").unwrap();
        let error = StateDir::open(dir.path()).unwrap_err();
        assert!(error.to_string().contains("not empty"), "{error}");
        assert!(!dir.path().join("lock").exists());
    }

    #[test]
    fn a_damaged_identity_stops_the_start() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("worker.json"), "{").unwrap();
        assert!(matches!(StateDir::open(dir.path()), Err(Error::StateCorrupt { .. })));
    }
}

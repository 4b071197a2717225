//! Where a state directory was made: by that a copy of it is known, which lists commands that another worker runs.
//!
//! A directory that is moved on its file system stays the one it was; what `cp`, `tar` or `rsync` makes of it is another
//! one, and what a snapshot makes of it is on another device.

use super::dir::replace;
use crate::Error;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The file that keeps it, in the directory.
pub const FILE: &str = "origin.json";

/// Which directory it is, and since which start of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    path: PathBuf,
    device: u64,
    inode: u64,
    /// When the directory was made, in nanoseconds, where the file system tells.
    born: Option<u64>,
    /// The machine's start. Containers of one machine have the same.
    boot: Option<String>,
}

impl Origin {
    /// What a directory is now.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn of(dir: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(dir)?;
        let born = metadata.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let born = born.and_then(|since| u64::try_from(since.as_nanos()).ok()).filter(|nanos| *nanos > 0);
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned());
        Ok(Self { path: dir.to_owned(), device: metadata.dev(), inode: metadata.ino(), born, boot })
    }

    /// Whether both are one directory. It may have been moved, or its file system mounted anew.
    pub fn is_same(&self, other: &Self) -> bool {
        let is_one = match (self.born, other.born) {
            (Some(one), Some(other)) => one == other,
            _ => self.inode == other.inode,
        };
        is_one && (self.device == other.device || self.path == other.path)
    }
}

/// Sees to it that a directory, which this process holds, is no copy of one that may be in use on this machine.
///
/// # Errors
/// When it is, or when what it says of itself cannot be read.
pub fn check(dir: &Path) -> Result<(), Error> {
    let here = Origin::of(dir).map_err(|error| Error::state(dir, &error))?;
    let file = dir.join(FILE);
    match fs::read(&file) {
        Ok(text) => {
            let made: Origin = serde_json::from_slice(&text).map_err(|error| Error::StateCorrupt {
                path: file.clone(),
                reason: format!("cannot be read: {error}"),
            })?;
            if made == here {
                return Ok(());
            }
            if !made.is_same(&here) {
                // What a copy of before the machine's start lists, runs nowhere on this machine any more.
                if made.boot == here.boot {
                    return Err(Error::StateCopied { path: dir.to_owned(), of: made.path });
                }
                tracing::warn!(of = %made.path.display(), "the state directory is a copy: the worker goes on in it");
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(Error::state(file, &error)),
    }
    let text = serde_json::to_string(&here).expect("plain data becomes JSON");
    if let Err(error) = replace(dir, &file, |out| out.write_all(text.as_bytes())) {
        // The disk may be full, and what runs is to be delivered still.
        tracing::warn!(%error, file = %file.display(), "cannot be written: a copy of the state directory would not be known");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin { path: "/a".into(), device: 1, inode: 2, born: Some(3), boot: Some("b".into()) }
    }

    #[test]
    fn a_directory_is_the_same_after_a_move_or_a_mount_but_not_as_a_copy_or_a_snapshot() {
        let moved = Origin { path: "/b".into(), ..origin() };
        let mounted = Origin { device: 9, inode: 8, ..origin() };
        let untold = Origin { born: None, ..origin() };
        for same in [origin(), moved.clone(), mounted, untold.clone()] {
            assert!(origin().is_same(&same), "{same:?}");
        }
        let copied = Origin { born: Some(4), ..moved.clone() };
        let restored = Origin { born: Some(4), ..origin() };
        let snapshot = Origin { device: 9, ..moved };
        let another = Origin { inode: 9, ..untold };
        for other in [copied, restored, snapshot, another] {
            assert!(!origin().is_same(&other), "{other:?}");
        }
    }

    #[test]
    fn a_copy_is_refused_unless_the_machine_was_started_since() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("first"), dir.path().join("second"));
        let copy = || {
            let _ = fs::remove_dir_all(&second);
            fs::create_dir(&second).unwrap();
            fs::copy(first.join(FILE), second.join(FILE)).unwrap();
        };
        fs::create_dir(&first).unwrap();
        check(&first).unwrap();
        copy();
        let error = check(&second).unwrap_err();
        assert!(matches!(&error, Error::StateCopied { of, .. } if *of == first), "{error}");
        check(&first).unwrap();
        // The same directory, elsewhere.
        let third = dir.path().join("third");
        fs::rename(&first, &third).unwrap();
        check(&third).unwrap();
        fs::rename(&third, &first).unwrap();
        let earlier = Origin { boot: Some("an earlier one".into()), ..Origin::of(&first).unwrap() };
        fs::write(first.join(FILE), serde_json::to_string(&earlier).unwrap()).unwrap();
        copy();
        check(&second).unwrap();
        assert_eq!(
            serde_json::from_slice::<Origin>(&fs::read(second.join(FILE)).unwrap()).unwrap(),
            Origin::of(&second).unwrap()
        );
    }
}

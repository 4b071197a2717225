//! Where a state directory was made: by that a copy of it is known, which lists commands that another worker runs.
//!
//! A directory that is moved on its file system stays the one it was, also when that is mounted elsewhere; what `cp`, `tar`
//! or `rsync` makes of it is another one, on this machine or any other. What a snapshot makes of it is on another device, and
//! what a machine's image makes of it belongs to a machine with another id. A clone that keeps even that id is not known here:
//! the server refuses it while the original is connected.

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

/// The machine's id, as systemd and others keep it.
const MACHINE_ID: &str = "/etc/machine-id";

/// Which directory it is, and on which machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    path: PathBuf,
    device: u64,
    inode: u64,
    /// When the directory was made, in nanoseconds, where the file system tells.
    born: Option<u64>,
    /// The machine's id, where it has one that lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    machine: Option<String>,
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
        let machine = machine_id(Path::new(MACHINE_ID));
        Ok(Self { path: dir.to_owned(), device: metadata.dev(), inode: metadata.ino(), born, machine })
    }

    /// Whether both are one directory. It may have been moved, or its file system mounted anew.
    pub fn is_same(&self, other: &Self) -> bool {
        if self.is_elsewhere(other) {
            return false;
        }
        let is_one = match (self.born, other.born) {
            (Some(one), Some(other)) => one == other,
            _ => self.inode == other.inode,
        };
        is_one && (self.device == other.device || self.path == other.path)
    }

    /// Whether they are known to be on different machines.
    fn is_elsewhere(&self, other: &Self) -> bool {
        matches!((&self.machine, &other.machine), (Some(one), Some(other)) if one != other)
    }
}

/// The id, unless it is one that lasts no longer than a start or a container: such a one is mounted over the file.
fn machine_id(file: &Path) -> Option<String> {
    let device = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.dev());
    if device(file)? != device(file.parent()?)? {
        return None;
    }
    let id = fs::read_to_string(file).ok()?.trim().to_owned();
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

/// Sees to it that a directory, which this process holds, is no copy of one that may be in use, here or elsewhere.
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
                let elsewhere = made.is_elsewhere(&here);
                return Err(Error::StateCopied { path: dir.to_owned(), of: made.path, elsewhere });
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
        Origin { path: "/a".into(), device: 1, inode: 2, born: Some(3), machine: Some("m".into()) }
    }

    #[test]
    fn a_directory_is_the_same_after_a_move_or_a_mount_but_not_as_a_copy_a_snapshot_or_an_image() {
        let moved = Origin { path: "/b".into(), ..origin() };
        let mounted = Origin { device: 9, inode: 8, ..origin() };
        let untold = Origin { born: None, ..origin() };
        let no_machine = Origin { machine: None, ..origin() };
        for same in [origin(), moved.clone(), mounted, untold.clone(), no_machine] {
            assert!(origin().is_same(&same), "{same:?}");
        }
        let copied = Origin { born: Some(4), ..moved.clone() };
        let restored = Origin { born: Some(4), ..origin() };
        let snapshot = Origin { device: 9, ..moved };
        let another = Origin { inode: 9, ..untold };
        let image = Origin { machine: Some("n".into()), ..origin() };
        for other in [copied, restored, snapshot, another, image] {
            assert!(!origin().is_same(&other), "{other:?}");
        }
    }

    #[test]
    fn a_copy_is_refused_until_it_is_said_to_be_the_only_one() {
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
        // What an earlier version wrote, of before the machine's last start.
        let mut earlier = serde_json::to_value(Origin::of(&first).unwrap()).unwrap();
        earlier.as_object_mut().unwrap().remove("machine");
        earlier["boot"] = "an earlier one".into();
        fs::write(first.join(FILE), earlier.to_string()).unwrap();
        copy();
        check(&second).unwrap_err();
        check(&first).unwrap();
        fs::remove_file(second.join(FILE)).unwrap();
        check(&second).unwrap();
        check(&second).unwrap();
    }

    #[test]
    fn a_machine_has_an_id_where_it_lasts() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("machine-id");
        assert_eq!(machine_id(&file), None);
        for (text, id) in [
            ("", None),
            ("uninitialized\n", None),
            ("0123456789abcdef0123456789abcdeF\n", Some("0123456789abcdef0123456789abcdeF")),
        ] {
            fs::write(&file, text).unwrap();
            assert_eq!(machine_id(&file).as_deref(), id, "{text}");
        }
        // What is on another file system than its directory is mounted over it: this holds for /proc/version, say.
        assert_eq!(machine_id(Path::new("/proc")), None);
    }
}

//! Writing files so that a full disk or a crash leaves the old contents or the new, never a part.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::{Builder, NamedTempFile};

/// Writes a file anew, or makes it; one that is there keeps its permissions, a new one gets the usual.
///
/// # Errors
/// When it cannot be written; then it is as it was.
pub fn replace(path: &Path, contents: &str) -> io::Result<()> {
    // What a link points to is written, not the link.
    let path = match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        found => found?,
    };
    // A new file's, less what the process's mask takes off.
    let mut beside = beside(&path, 0o666)?;
    if let Ok(there) = fs::metadata(&path) {
        beside.as_file().set_permissions(there.permissions())?;
    }
    write(&mut beside, contents)?;
    beside.persist(&path)?;
    Ok(())
}

/// Writes a file that only its owner reads, from its first byte on.
///
/// # Errors
/// When it cannot be written; then it is as it was.
pub fn replace_private(path: &Path, contents: &str) -> io::Result<()> {
    let mut beside = beside(path, 0o600)?;
    write(&mut beside, contents)?;
    beside.persist(path)?;
    Ok(())
}

/// Makes a file that only its owner reads, unless it is there. Whether it was made.
///
/// # Errors
/// When it cannot be written; then there is none.
pub fn make_private(path: &Path, contents: &str) -> io::Result<bool> {
    let mut beside = beside(path, 0o600)?;
    write(&mut beside, contents)?;
    match beside.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(failed) => Err(failed.error),
    }
}

/// An empty file in the same directory, which is removed unless it takes the place of the other.
fn beside(path: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Builder::new().prefix(".pulse-").permissions(Permissions::from_mode(mode)).tempfile_in(directory)
}

fn write(file: &mut NamedTempFile, contents: &str) -> io::Result<()> {
    file.write_all(contents.as_bytes())?;
    file.as_file().sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_there_keeps_its_permissions_and_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, "new").unwrap();
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), mode(&file)), ("new", 0o640));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let usual = directory.path().join("usual");
        fs::write(&usual, "").unwrap();
        let made = directory.path().join("made");
        replace(&made, "x").unwrap();
        assert_eq!(mode(&made), mode(&usual));
    }

    #[test]
    fn a_private_file_is_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        assert!(make_private(&file, "one").unwrap());
        assert!(!make_private(&file, "two").unwrap());
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), mode(&file)), ("one", 0o600));
        replace_private(&file, "three").unwrap();
        assert_eq!((fs::read_to_string(&file).unwrap().as_str(), mode(&file)), ("three", 0o600));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}

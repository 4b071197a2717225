//! A small disk of its own for data that is to run out of room: a tmpfs, which only root can mount.

use super::Trouble;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted tmpfs. It is unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Mounts one of `mebibytes` at a path, which is made.
    ///
    /// # Errors
    /// When it cannot be mounted: without root, or where mounts are not allowed.
    pub fn mount(path: &Path, mebibytes: u32) -> Result<Self, Trouble> {
        std::fs::create_dir_all(path).map_err(|error| Trouble::io("the disk's directory", &error))?;
        let size = format!("size={mebibytes}m,mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "pulse-bench"]).arg(path).output();
        let output = mounted.map_err(|error| Trouble::io("mount", &error))?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Trouble::new(format!(
                "a full disk needs a tmpfs, and it cannot be mounted ({reason}): run this as root, or with --full-disks 0"
            )));
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Fills it to the last byte.
    ///
    /// # Errors
    /// When writing fails for another reason than that it is full.
    pub fn fill(&self) -> Result<(), Trouble> {
        let mut file = File::create(self.filler()).map_err(|error| Trouble::io("the filler", &error))?;
        for size in [1024 * 1024, 4096, 1] {
            let block = vec![0_u8; size];
            loop {
                match file.write_all(&block) {
                    Ok(()) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::StorageFull => break,
                    Err(error) => return Err(Trouble::io("the filler", &error)),
                }
            }
        }
        Ok(())
    }

    /// Makes room again.
    ///
    /// # Errors
    /// When the filler cannot be removed.
    pub fn free(&self) -> Result<(), Trouble> {
        std::fs::remove_file(self.filler()).map_err(|error| Trouble::io("the filler", &error))
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that is just ending may still hold a file there.
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

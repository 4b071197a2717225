//! One control group (version 2) for a supervisor and everything it starts, where the system lets it make one.
//!
//! Commands are born into it, at no cost per command. It is for one case: a supervisor that was killed. The next one
//! ends with one write whatever the former left, however that hid. While a supervisor lives, the [`Reaper`] sees to it
//! that nothing is left of a command.
//!
//! [`Reaper`]: crate::runner::Reaper

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What names of ours begin with, so that nothing else is ever killed.
const PREFIX: &str = "pulse-supervisor-";
/// Time for a killed group to become empty.
const EMPTY: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(5);
/// An empty group of ours that is older belongs to a supervisor that died and has no successor.
const ABANDONED: Duration = Duration::from_secs(600);

/// The group that this process is in, until this is dropped.
#[derive(Debug)]
pub struct Cgroup {
    path: PathBuf,
    parent: PathBuf,
}

impl Cgroup {
    /// Makes a group below the one that this process is in, and moves there.
    ///
    /// # Errors
    /// In words, when the system has no such groups or does not let this process make one.
    pub fn enter() -> Result<Self, String> {
        let parent = own().ok_or("there is no cgroup version 2 here")?;
        remove_abandoned(&parent);
        let path = parent.join(format!("{PREFIX}{}", uuid::Uuid::now_v7()));
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        fs::create_dir(&path).map_err(failed)?;
        let moved = fs::write(path.join("cgroup.procs"), "0");
        if moved.is_err() || !path.join("cgroup.kill").exists() {
            let _ = fs::write(parent.join("cgroup.procs"), "0");
            let _ = fs::remove_dir(&path);
        }
        moved.map_err(failed)?;
        if !path.exists() {
            return Err("the kernel is older than 5.14 and cannot kill a cgroup".to_owned());
        }
        Ok(Self { path, parent })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Cgroup {
    /// Leaves it, and removes it.
    fn drop(&mut self) {
        let _ = fs::write(self.parent.join("cgroup.procs"), "0");
        remove(&self.path);
    }
}

/// Removes a group as soon as what was killed in it is gone. It stays when something else is in it.
fn remove(path: &Path) {
    let deadline = Instant::now() + EMPTY;
    while fs::remove_dir(path).is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy)
        && Instant::now() < deadline
    {
        std::thread::sleep(POLL);
    }
}

/// Removes empty groups that nobody will remove any more. One that is not empty cannot be removed.
fn remove_abandoned(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        if is_ours && age().is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Kills everything in the group of a former supervisor, and removes it. Returns how many processes were in it.
pub fn kill(path: &Path) -> usize {
    let is_ours = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX));
    // A worker that was started by a command of a supervisor must not end itself.
    if !is_ours || own().is_none_or(|own| own.starts_with(path)) || !path.join("cgroup.kill").exists() {
        return 0;
    }
    let members = || fs::read_to_string(path.join("cgroup.procs")).map_or(0, |list| list.lines().count());
    let found = members();
    if found > 0 {
        let _ = fs::write(path.join("cgroup.kill"), "1");
    }
    remove(path);
    found
}

/// The directory of this process's own group.
fn own() -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    // `36 35 98:0 /root /mount options … - type source options`
    let mount = mounts.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut words = left.split(' ').skip(3);
        let (root, point) = (words.next()?, words.next()?);
        (right.split(' ').next() == Some("cgroup2")).then_some((root, point))
    });
    let (root, point) = mount?;
    let below = if root == "/" { own } else { own.strip_prefix(root)? };
    Some(Path::new(point).join(below.trim_start_matches('/')))
}

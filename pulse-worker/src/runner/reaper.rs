//! Processes that commands leave behind, as children of this process.
//!
//! This process declares itself a subreaper: what loses its parent below it becomes its child, wherever it has gone by
//! `setsid` or by forking twice, and whatever it did to its environment. So after a command's leader has ended, every
//! process that is left of it is a child of this one or below such a child, and one look at the list of children shows
//! whether there is any. That costs microseconds, so it is done after every command.
//!
//! Only for a process that runs nothing but commands and has one thread that starts them: every other child would be taken
//! for one that was left behind.

use super::environment::MARKER;
use super::strays::marker_of;
use pulse_core::ids::CommandId;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, waitpid};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::sleep;

/// Between looking again whether anything is left.
const POLL: Duration = Duration::from_millis(5);
/// How often it is looked again: a process can be forked while the others are being killed, and takes its time to die.
const ROUNDS: usize = 400;

/// See the module's documentation.
#[derive(Debug)]
pub struct Reaper {
    /// Commands that are not over, and their leaders until those were reaped: somebody else waits for them.
    living: Mutex<HashMap<CommandId, Option<i32>>>,
    list: String,
}

impl Reaper {
    /// Makes this process a subreaper. To be called on its main thread.
    ///
    /// # Errors
    /// When the system does not do that, or does not list children.
    pub fn new() -> io::Result<Self> {
        let own = getpid();
        let list = format!("/proc/self/task/{}/children", own.as_raw_nonzero());
        fs::read(&list)?;
        set_child_subreaper(Some(own))?;
        Ok(Self { living: Mutex::new(HashMap::new()), list })
    }

    /// A command has started. It is over when the guard is dropped.
    pub(super) fn follow(&self, leader: Option<u32>, command_id: CommandId) -> Follow<'_> {
        self.living().insert(command_id, leader.and_then(|id| i32::try_from(id).ok()));
        Follow { reaper: self, command_id }
    }

    /// Kills what is left of a command that is over. Returns how many processes that were.
    pub(super) async fn kill_rest(&self, command_id: CommandId) -> usize {
        let marker = format!("{MARKER}={command_id}");
        let mut killed = 0;
        for _ in 0..ROUNDS {
            let mut is_left = false;
            for pid in self.orphans() {
                if reap(pid) || !self.is_of(pid, &marker) {
                    continue;
                }
                is_left = true;
                killed += usize::from(kill_process(pid, Signal::KILL).is_ok());
            }
            if !is_left {
                break;
            }
            sleep(POLL).await;
        }
        killed
    }

    /// Takes note of what has ended and nobody waits for.
    pub fn reap_orphans(&self) {
        for pid in self.orphans() {
            reap(pid);
        }
    }

    /// Kills everything, whosever it is.
    pub fn kill_everything(&self) {
        for pid in self.orphans() {
            if !reap(pid) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }

    /// Children that are no leaders.
    fn orphans(&self) -> Vec<Pid> {
        let Ok(list) = fs::read_to_string(&self.list) else { return Vec::new() };
        let living = self.living();
        let orphans = list.split_ascii_whitespace().filter_map(|word| word.parse::<i32>().ok());
        orphans.filter(|pid| !living.values().any(|leader| *leader == Some(*pid))).filter_map(Pid::from_raw).collect()
    }

    /// Whether an orphan belongs to a command that has ended. One that shed its marker belongs to that command when no
    /// other one runs; while others run it is left to the last of them.
    fn is_of(&self, pid: Pid, marker: &str) -> bool {
        match marker_of(pid.as_raw_nonzero().get()) {
            Some(found) if found == marker => true,
            Some(found) => {
                let id = found.split_once('=').and_then(|(_, id)| id.parse().ok()).map(CommandId);
                id.is_none_or(|id| !self.living().contains_key(&id))
            }
            None => self.living().is_empty(),
        }
    }

    fn living(&self) -> MutexGuard<'_, HashMap<CommandId, Option<i32>>> {
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes note of a child's end. Whether it has ended.
fn reap(pid: Pid) -> bool {
    !matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(None))
}

/// A command that is not over.
#[derive(Debug)]
pub(super) struct Follow<'a> {
    reaper: &'a Reaper,
    command_id: CommandId,
}

impl Follow<'_> {
    /// The leader was reaped: its process id may be another process's from now on.
    pub(super) fn leader_was_reaped(&self) {
        self.reaper.living().insert(self.command_id, None);
    }
}

impl Drop for Follow<'_> {
    fn drop(&mut self) {
        self.reaper.living().remove(&self.command_id);
    }
}

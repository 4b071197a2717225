//! The process group of a command. Its id is the leader's process id and stays taken while the group has a member or
//! the leader has not been reaped, so a signal sent then reaches nobody else.

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::Child;

/// A process group.
#[derive(Debug, Clone, Copy)]
pub struct Group(Option<Pid>);

impl Group {
    /// The group that a child leads; call it before the child is reaped.
    pub fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// Asks all members to end. What is stopped (it read from a terminal in the background, or somebody stopped it) would
    /// hear that only once it goes on.
    pub fn terminate(self) {
        self.signal(Signal::TERM);
        self.signal(Signal::CONT);
    }

    /// Ends all members.
    pub fn kill(self) {
        self.signal(Signal::KILL);
    }

    /// Whether anybody is in it, counting what has ended and was not reaped.
    pub fn has_members(self) -> bool {
        self.0.is_some_and(|group| test_kill_process_group(group).is_ok())
    }

    fn signal(self, signal: Signal) {
        if let Some(group) = self.0 {
            // It fails when nobody is left, which is what is wanted.
            let _ = kill_process_group(group, signal);
        }
    }
}

//! Commands that wait for a worker which is given no work: it drains, has been gone for a while, or has fallen silent.
//!
//! ```text
//!  Queued ──taken out──▶ Asked ──stays──▶ Queued      its execution decides, and what it decides is durable
//!                          └──────moved──▶ gone        before the command is queued for another worker
//! ```

use super::{Ledger, Phase, Stranded};
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::time::Timestamp;
use std::time::Duration;

/// How long a worker may be without a connection before what is queued for it is looked after: it tries again within
/// seconds of a short absence.
const ABSENCE: Duration = Duration::from_secs(10);

impl Ledger {
    /// Whether what is queued waits for more than room. As noticed by the last [`Ledger::tick`].
    fn is_given_no_work(&self, now: Timestamp) -> bool {
        let has_been_gone = |since: Timestamp| now.since(since) >= ABSENCE;
        self.draining || self.unlinked.is_some_and(has_been_gone) || self.link.as_ref().is_some_and(|link| link.silent)
    }

    /// Takes out commands whose executions are to be asked what becomes of them: each of which that has not been asked
    /// yet, and of those that another worker may run so many as there is room for elsewhere. They are sent nowhere until
    /// [`Ledger::stays`] or [`Ledger::withdraw`].
    pub fn stranded(&mut self, now: Timestamp, room: &mut u32) -> Vec<(ExecutionId, CommandId)> {
        if !self.is_given_no_work(now) {
            // Whoever is asked again later is asked anew.
            for id in self.queue.values() {
                if let Some(command) = self.commands.get_mut(*id) {
                    command.stranded = Stranded::Unasked;
                }
            }
            return Vec::new();
        }
        let mut taken = Vec::new();
        for id in self.queue.values() {
            let Some(command) = self.commands.get(*id).filter(|command| command.phase == Phase::Queued) else {
                continue;
            };
            let is_due = match command.stranded {
                Stranded::Unasked => true,
                Stranded::ForRoom => *room > 0,
                Stranded::Stays => false,
            };
            if is_due {
                *room = room.saturating_sub(1);
                taken.push((command.ordinal, command.execution_id, *id));
            }
        }
        let asked = taken.into_iter().map(|(ordinal, execution_id, id)| {
            self.queue.remove(&ordinal);
            self.commands.set_phase(id, Phase::Asked);
            (execution_id, id)
        });
        asked.collect()
    }

    /// A command that was asked about waits on, at its place.
    pub fn stays(&mut self, id: CommandId, stranded: Stranded) {
        if self.phase(id) == Some(Phase::Asked)
            && let Some(command) = self.commands.get_mut(id)
        {
            command.stranded = stranded;
            self.queue.insert(command.ordinal, id);
            self.commands.set_phase(id, Phase::Queued);
        }
    }

    /// A command that was asked about is another worker's from now on, and that is durable.
    pub fn withdraw(&mut self, id: CommandId) {
        if self.phase(id) == Some(Phase::Asked) {
            self.commands.remove(id);
        }
    }
}

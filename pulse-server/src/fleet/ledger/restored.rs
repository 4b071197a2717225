//! Commands of before a restart of the server.

use super::{Ledger, Phase};
use crate::secrets::Secrets;
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::time::Timestamp;
use pulse_engine::state::Outstanding;
use std::sync::Arc;

impl Ledger {
    /// A command of before a restart: whether the worker has it is found out by its hello. Its time runs since then.
    pub fn restore(&mut self, id: ExecutionId, command: Outstanding, secrets: Arc<Secrets>, since: Timestamp) {
        self.add(id, command, secrets, Phase::Sent, since);
    }

    /// All commands of before a restart are here: their order is that in which they were decided on, of which their ids
    /// tell the time; within an execution that in which they came here.
    pub fn restored(&mut self) {
        let decided = |id: CommandId| id.0.as_u128() >> 80;
        let all = self.commands.iter().map(|(id, command)| (decided(id), command.execution_id, command.ordinal, id));
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        self.queue.clear();
        self.ordinal = 0;
        for (_, _, _, id) in all {
            let Some(command) = self.commands.get_mut(id) else { continue };
            self.ordinal += 1;
            command.ordinal = self.ordinal;
            if command.phase == Phase::Queued {
                self.queue.insert(self.ordinal, id);
            }
        }
    }
}

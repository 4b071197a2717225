//! What becomes of commands, from the engine's side and from the worker's.

use super::conversation::{Conversation, Whose};
use super::ledger::Stranded;
use super::{Fleet, Verdict, legacy};
use crate::drive::Printed;
use crate::secrets::Secrets;
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::ids::{CommandId, ExecutionId, WorkerId};
use pulse_engine::state::Outstanding;
use std::sync::Arc;

impl Fleet {
    /// Queues a command for its worker. One that is there already stays as it is.
    pub fn dispatch(&self, execution_id: ExecutionId, command: Outstanding, secrets: Arc<Secrets>) {
        let of = (command.worker.worker_id, command.command_id);
        let queued = self.with(of.0, |worker, now| worker.ledger.dispatch(execution_id, command, secrets, now));
        if queued.is_none() {
            self.removed(execution_id, of, Outcome::NotStarted, "its worker was removed before it was sent");
        }
    }

    /// A command of before a restart: whether its worker has it is found out by its hello.
    pub fn restore(&self, execution_id: ExecutionId, command: Outstanding, secrets: Arc<Secrets>) {
        let of = (command.worker.worker_id, command.command_id);
        let kept = self.with(of.0, |worker, now| {
            // An agent of the first PULSE cannot be asked: what was sent to it is written down.
            let since = match legacy::is_agent(&worker.record) {
                true => worker.kept.since(execution_id, &command, now),
                false => Some(now),
            };
            match since {
                Some(since) => worker.ledger.restore(execution_id, command, secrets, since),
                None => worker.ledger.dispatch(execution_id, command, secrets, now),
            }
        });
        if kept.is_none() {
            self.removed(
                execution_id,
                of,
                Outcome::Lost,
                "its worker was removed; nobody knows whether it took effect",
            );
        }
    }

    /// All commands of before a restart are here: each worker gets its own in the order in which they were queued.
    pub fn restored(&self) {
        self.inner().workers.values_mut().for_each(|worker| worker.ledger.restored());
    }

    /// Nobody will ever tell of a command whose worker is not in the registry.
    fn removed(&self, execution_id: ExecutionId, of: (WorkerId, CommandId), outcome: Outcome, reason: &str) {
        let (worker_id, command_id) = of;
        tracing::warn!(command = %command_id, worker = %worker_id, "a command for a worker that was removed");
        let end = CommandEnd::without_process(outcome, reason);
        self.give_up(Verdict { execution_id, worker_id, command_id, end });
    }

    /// Asks a worker to stop a command. One that was never sent ends with that.
    pub fn cancel(&self, worker_id: WorkerId, command_id: CommandId, reason: &str) {
        self.with(worker_id, |worker, _| worker.ledger.cancel(command_id, reason));
    }

    /// A command that its execution was asked about waits on; whether another worker may run it as well.
    pub(crate) fn stays(&self, worker_id: WorkerId, command_id: CommandId, may_move: bool) {
        let stranded = if may_move { Stranded::ForRoom } else { Stranded::Stays };
        self.with(worker_id, |worker, _| worker.ledger.stays(command_id, stranded));
    }

    /// A command that its execution was asked about is another worker's, durably.
    pub(crate) fn withdraw(&self, worker_id: WorkerId, command_id: CommandId) {
        self.with(worker_id, |worker, _| worker.ledger.withdraw(command_id));
    }

    /// A piece of output came. Answers how many bytes its command has printed, if the fleet has it.
    pub(super) fn printed(&self, worker_id: WorkerId, command_id: CommandId, piece: &Printed) -> Option<u64> {
        let mut inner = self.inner();
        inner.workers.get_mut(&worker_id)?.ledger.printed(command_id, piece.seq, piece.data.len())
    }

    /// Whose a command is that a worker speaks of.
    pub(super) fn whose(&self, worker_id: WorkerId, conversation: &Conversation, command_id: CommandId) -> Whose {
        let inner = self.inner();
        let worker = inner.workers.get(&worker_id);
        worker.map_or(Whose::Nobodys, |worker| conversation.whose(&worker.ledger, command_id))
    }

    /// A command's end without its worker's word is durable.
    pub(super) fn given_up(&self, worker_id: WorkerId, command_id: CommandId, outcome: Outcome) {
        self.with(worker_id, |worker, _| {
            worker.ledger.given_up(command_id, outcome);
            if worker.ledger.stranger(command_id).is_none() {
                worker.kept.known.sent.remove(&command_id);
            }
        });
    }

    /// A command's result is durable: forget it.
    pub fn finished(&self, worker_id: WorkerId, command_id: CommandId) {
        self.with(worker_id, |worker, _| {
            worker.ledger.finished(command_id);
            worker.kept.known.sent.remove(&command_id);
        });
    }
}

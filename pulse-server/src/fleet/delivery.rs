//! Where commands are that the journal calls running: it says that they are their workers' business, not how far they are.

use super::Fleet;
use super::ledger::Phase;
use super::worker::Worker;
use crate::clock;
use pulse_core::api::{ExecutionSummary, ExecutionView};
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::status::{CommandStatus, Delivery, WorkerStatus};
use pulse_core::time::Timestamp;
use pulse_engine::State;
use std::collections::HashMap;

/// Where a command is that has not ended; `None` when it is on its worker, and that can be reached.
fn delivery(worker: &Worker, phase: Phase, now: Timestamp) -> Option<Delivery> {
    match phase {
        Phase::Queued | Phase::Asked => Some(Delivery::Queued),
        Phase::Sent | Phase::Running => {
            (worker.status(now) != WorkerStatus::Online).then_some(Delivery::WorkerUnreachable)
        }
        Phase::Finished => None,
    }
}

/// What is said of an execution, given where its commands are that have not ended.
fn of_all(mut commands: impl Iterator<Item = Option<Delivery>> + Clone) -> Option<Delivery> {
    let is = |wanted: Delivery| move |delivery: Option<Delivery>| delivery == Some(wanted);
    match commands.clone().any(is(Delivery::WorkerUnreachable)) {
        true => Some(Delivery::WorkerUnreachable),
        false => (commands.clone().next().is_some() && commands.all(is(Delivery::Queued))).then_some(Delivery::Queued),
    }
}

impl Fleet {
    /// Says in a view where the commands are that have not ended.
    pub fn show_delivery(&self, view: &mut ExecutionView, state: &State) {
        let now = clock::steady();
        let known: HashMap<CommandId, Option<Delivery>> = {
            let inner = self.inner();
            let outstanding = state.outstanding().into_iter();
            let known = outstanding.filter_map(|command| {
                let worker = inner.workers.get(&command.worker.worker_id)?;
                let phase = worker.ledger.command(command.command_id)?.phase;
                Some((command.command_id, delivery(worker, phase, now)))
            });
            known.collect()
        };
        for command in view.steps.iter_mut().flat_map(|step| &mut step.commands) {
            match known.get(&command.id) {
                Some(Some(Delivery::Queued)) => command.status = CommandStatus::Queued,
                Some(Some(Delivery::WorkerUnreachable)) => command.unreachable = true,
                Some(None) | None => {}
            }
        }
        view.summary.delivery = of_all(known.values().copied());
    }

    /// Says in summaries what the executions' commands wait for.
    pub fn show_deliveries(&self, summaries: &mut [ExecutionSummary]) {
        let now = clock::steady();
        let open = summaries.iter().filter(|summary| !summary.status.is_final());
        let mut all: HashMap<ExecutionId, Vec<Option<Delivery>>> = open.map(|open| (open.id, Vec::new())).collect();
        if all.is_empty() {
            return;
        }
        for worker in self.inner().workers.values() {
            for command in worker.ledger.iter() {
                if let Some(known) = all.get_mut(&command.execution_id) {
                    known.push(delivery(worker, command.phase, now));
                }
            }
        }
        for summary in summaries {
            summary.delivery = all.get(&summary.id).and_then(|known| of_all(known.iter().copied()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_is_queued_when_all_its_commands_are_and_unreachable_when_one_is() {
        let of = |commands: &[Option<Delivery>]| of_all(commands.iter().copied());
        let (queued, unreachable) = (Some(Delivery::Queued), Some(Delivery::WorkerUnreachable));
        assert_eq!([of(&[]), of(&[None]), of(&[queued, None])], [None; 3]);
        assert_eq!((of(&[queued, queued]), of(&[queued, None, unreachable])), (queued, unreachable));
    }
}

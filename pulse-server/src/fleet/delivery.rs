//! Where commands are that the journal calls running: it says that they are their workers' business, not how far they are.

use super::Fleet;
use super::ledger::Phase;
use super::worker::Worker;
use crate::clock;
use crate::live::Topic;
use pulse_core::api::{ExecutionSummary, ExecutionView};
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::protocol::browser::ToBrowser;
use pulse_core::status::{CommandStatus, Delivery, WorkerStatus};
use pulse_core::time::Timestamp;
use pulse_engine::State;
use std::collections::{BTreeSet, HashMap};

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

/// Where the commands of one execution are that have not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Standing {
    queued: BTreeSet<CommandId>,
    unreachable: BTreeSet<CommandId>,
    /// Some are with workers that can be reached.
    some_work: bool,
}

impl Standing {
    fn add(&mut self, id: CommandId, delivery: Option<Delivery>) {
        match delivery {
            Some(Delivery::Queued) => self.queued.extend([id]),
            Some(Delivery::WorkerUnreachable) => self.unreachable.extend([id]),
            None => self.some_work = true,
        }
    }

    fn waits(&self) -> bool {
        !self.queued.is_empty() || !self.unreachable.is_empty()
    }

    fn summary(&self) -> Option<Delivery> {
        let queued = self.queued.iter().map(|_| Some(Delivery::Queued));
        let unreachable = self.unreachable.iter().map(|_| Some(Delivery::WorkerUnreachable));
        of_all(queued.chain(unreachable).chain(self.some_work.then_some(None)))
    }

    fn message(self, execution_id: ExecutionId) -> ToBrowser {
        let (queued, unreachable) = (self.queued.into_iter().collect(), self.unreachable.into_iter().collect());
        ToBrowser::ExecutionDelivery { execution_id, queued, unreachable }
    }
}

/// What watchers were last told: of each execution with a command that waits.
#[derive(Default)]
pub(crate) struct Told(HashMap<ExecutionId, Standing>);

impl Fleet {
    /// Tells watchers what has changed since this was last called. That is not done at each change: most commands wait for
    /// a moment only, and when a worker falls silent, each of its commands would make a message.
    pub(crate) fn tell_deliveries(&self, told: &mut Told) {
        let hub = &self.0.hub;
        if !hub.is_watched() {
            // Whoever comes reads what holds then.
            return told.0.clear();
        }
        let mut now: HashMap<ExecutionId, Standing> = HashMap::new();
        self.each_delivery(|execution_id, id, delivery| now.entry(execution_id).or_default().add(id, delivery));
        now.retain(|_, standing| standing.waits());
        let before = std::mem::take(&mut told.0);
        let nothing = Standing::default();
        let over = before.keys().filter(|id| !now.contains_key(*id)).map(|id| (id, &nothing));
        for (&id, standing) in now.iter().chain(over) {
            let last = before.get(&id).unwrap_or(&nothing);
            if (&last.queued, &last.unreachable) != (&standing.queued, &standing.unreachable) {
                hub.publish(Topic::Execution(id), None, || standing.clone().message(id));
            }
            let delivery = standing.summary();
            if last.summary() != delivery {
                hub.publish(Topic::Executions, None, || ToBrowser::DeliveryUpdate { execution_id: id, delivery });
            }
        }
        told.0 = now;
    }

    /// What holds now of these executions.
    pub fn deliveries(&self, executions: impl Iterator<Item = ExecutionId>) -> Vec<ToBrowser> {
        let mut standings: HashMap<_, _> = executions.map(|id| (id, Standing::default())).collect();
        if !standings.is_empty() {
            self.each_delivery(|execution_id, id, delivery| {
                if let Some(standing) = standings.get_mut(&execution_id) {
                    standing.add(id, delivery);
                }
            });
        }
        standings.into_iter().map(|(id, standing)| standing.message(id)).collect()
    }

    fn each_delivery(&self, mut see: impl FnMut(ExecutionId, CommandId, Option<Delivery>)) {
        let now = clock::steady();
        for worker in self.inner().workers.values() {
            for command in worker.ledger.iter() {
                see(command.execution_id, command.command.command_id, delivery(worker, command.phase, now));
            }
        }
    }

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
        let open = summaries.iter().filter(|summary| !summary.status.is_final());
        let mut all: HashMap<ExecutionId, Vec<Option<Delivery>>> = open.map(|open| (open.id, Vec::new())).collect();
        if all.is_empty() {
            return;
        }
        self.each_delivery(|execution_id, _, delivery| {
            if let Some(known) = all.get_mut(&execution_id) {
                known.push(delivery);
            }
        });
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

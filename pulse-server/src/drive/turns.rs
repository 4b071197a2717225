//! Turns: how many executions of one workflow run at once (`concurrency`), and who is next.

use super::driver::{Driver, Error};
use pulse_core::event::WorkflowRef;
use pulse_core::ids::{ExecutionId, WorkflowId};
use pulse_core::status::ExecutionStatus;
use pulse_core::workflow::{Concurrency, ConcurrencyPolicy};
use pulse_engine::{Input, State};
use pulse_store::ExecutionRecord;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard};

/// The executions of each workflow that have not ended. Made again from the summaries after a restart.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<WorkflowId, Open>>);

#[derive(Default)]
struct Open {
    running: BTreeSet<ExecutionId>,
    queued: BTreeSet<ExecutionId>,
    /// The limit as the last start or admission knew it: versions may differ.
    limit: Option<u32>,
}

/// Whether an execution may run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// At once; first, these have to be ended in its favour.
    Now(Vec<ExecutionId>),
    /// Later; so many may run at once.
    Queued(u32),
    /// Not at all; so many run already.
    Refused(u32),
}

impl Turns {
    fn lock(&self) -> MutexGuard<'_, HashMap<WorkflowId, Open>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Takes a place for an execution that is about to be created.
    pub(super) fn take(&self, workflow: WorkflowId, id: ExecutionId, limit: Option<Concurrency>) -> Turn {
        let mut turns = self.lock();
        let open = turns.entry(workflow).or_default();
        open.limit = limit.map(|concurrency| concurrency.limit);
        let full = limit.filter(|concurrency| open.running.len() >= concurrency.limit as usize);
        match full.map(|concurrency| (concurrency.policy, concurrency.limit)) {
            None => {
                open.running.insert(id);
                Turn::Now(Vec::new())
            }
            Some((ConcurrencyPolicy::Skip, limit)) => Turn::Refused(limit),
            Some((ConcurrencyPolicy::Queue, limit)) => {
                open.queued.insert(id);
                Turn::Queued(limit)
            }
            Some((ConcurrencyPolicy::CancelOldest, limit)) => {
                // Ids sort by age.
                let surplus = open.running.len() + 1 - limit as usize;
                let oldest = open.running.iter().take(surplus).copied().collect();
                open.running.insert(id);
                Turn::Now(oldest)
            }
        }
    }

    /// The oldest of those that run beyond a limit.
    fn surplus(&self, workflow: WorkflowId, limit: u32) -> Vec<ExecutionId> {
        let turns = self.lock();
        let Some(open) = turns.get(&workflow) else { return Vec::new() };
        let surplus = open.running.len().saturating_sub(limit as usize);
        open.running.iter().take(surplus).copied().collect()
    }

    /// Gives a place back and answers who may run in it.
    pub(super) fn give_back(&self, workflow: WorkflowId, id: ExecutionId) -> Vec<ExecutionId> {
        let mut turns = self.lock();
        let Some(open) = turns.get_mut(&workflow) else { return Vec::new() };
        open.running.remove(&id);
        open.queued.remove(&id);
        let next = open.admit();
        if open.running.is_empty() && open.queued.is_empty() {
            turns.remove(&workflow);
        }
        next
    }
}

impl Open {
    fn admit(&mut self) -> Vec<ExecutionId> {
        let mut next = Vec::new();
        while self.limit.is_none_or(|limit| self.running.len() < limit as usize)
            && let Some(id) = self.queued.pop_first()
        {
            self.running.insert(id);
            next.push(id);
        }
        next
    }
}

impl Driver {
    /// An execution has ended: its parent is told, and its place goes to the next.
    pub(super) fn ended(&self, state: &State, status: ExecutionStatus) {
        self.tell_parent(state, status);
        let workflow = state.origin.as_ref().and_then(|origin| origin.workflow.as_ref());
        if let Some(workflow) = workflow {
            self.release(workflow.id, state.id);
        }
    }

    /// Gives an execution's place to whoever waits for it.
    pub(super) fn release(&self, workflow: WorkflowId, id: ExecutionId) {
        for next in self.0.turns.give_back(workflow, id) {
            self.give(next, Input::Admitted);
        }
    }

    /// After a restart: an execution that has not ended takes its place again. `limit` is of its own version.
    pub(super) fn take_place(&self, record: &ExecutionRecord, limit: Option<u32>) {
        let Some(workflow) = record.workflow_id else { return };
        let mut turns = self.0.turns.lock();
        let open = turns.entry(workflow).or_default();
        if limit.is_some() {
            open.limit = limit;
        }
        match record.status {
            ExecutionStatus::Queued => open.queued.insert(record.id),
            _ => open.running.insert(record.id),
        };
    }

    /// Ends an execution because a newer one takes its place.
    pub(super) fn make_room(&self, oldest: ExecutionId) {
        let reason = Some("a newer one takes its place (concurrency: cancel_oldest)".to_owned());
        self.give(oldest, Input::Abort { by: "concurrency".to_owned(), reason });
    }

    /// After a restart: ends those whose place a newer one has taken, if the server stopped before they heard of it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn make_room_again(&self) -> Result<(), Error> {
        let newest = |open: &Open| open.running.last().copied().filter(|_| open.running.len() > 1);
        let newest: Vec<_> = self.0.turns.lock().iter().filter_map(|(id, open)| Some((*id, newest(open)?))).collect();
        for (workflow, newest) in newest {
            let Some(record) = self.store().execution(newest).await? else { continue };
            let concurrency = self.concurrency(&record).await?;
            let Some(Concurrency { limit, policy: ConcurrencyPolicy::CancelOldest }) = concurrency else { continue };
            for oldest in self.0.turns.surplus(workflow, limit) {
                match self.fold(oldest).await {
                    Ok(state) if state.abort.is_some() => {}
                    Err(error) if error.is_transient() => return Err(error),
                    // Nobody can tell whether it has heard of it: it says itself why it cannot be driven.
                    Ok(_) | Err(_) => self.make_room(oldest),
                }
            }
        }
        Ok(())
    }

    /// What the workflow of an execution, in the version that it runs, says of others beside it. Nothing, if that cannot
    /// be told any more.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn concurrency(&self, record: &ExecutionRecord) -> Result<Option<Concurrency>, Error> {
        let (Some(id), Some(name), Some(version)) = (record.workflow_id, record.workflow.clone(), record.version)
        else {
            return Ok(None);
        };
        match self.stored_plan(&WorkflowRef { id, name, version }).await {
            Ok(plan) => Ok(plan.workflow.concurrency),
            Err(error) if error.is_transient() => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// After a restart: whoever is queued and has room goes on.
    pub(super) fn admit_all(&self) {
        let next: Vec<ExecutionId> = self.0.turns.lock().values_mut().flat_map(Open::admit).collect();
        for id in next {
            self.give(id, Input::Admitted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_go_to_the_oldest_that_waits() {
        let id = |n: u128| ExecutionId(uuid::Uuid::from_u128(n));
        let workflow = WorkflowId(uuid::Uuid::from_u128(99));
        let limit = |policy| Some(Concurrency { limit: 2, policy });
        let turns = Turns::default();
        let queue = limit(ConcurrencyPolicy::Queue);
        assert_eq!(turns.take(workflow, id(1), queue), Turn::Now(vec![]));
        assert_eq!(turns.take(workflow, id(2), queue), Turn::Now(vec![]));
        assert_eq!(turns.take(workflow, id(4), queue), Turn::Queued(2));
        assert_eq!(turns.take(workflow, id(3), queue), Turn::Queued(2));
        assert_eq!(turns.take(workflow, id(5), limit(ConcurrencyPolicy::Skip)), Turn::Refused(2));
        assert_eq!(turns.give_back(workflow, id(1)), [id(3)]);
        assert_eq!(turns.take(workflow, id(6), limit(ConcurrencyPolicy::CancelOldest)), Turn::Now(vec![id(2)]));
        assert_eq!(turns.give_back(workflow, id(2)), []);
        assert_eq!(turns.give_back(workflow, id(3)), [id(4)]);
        assert_eq!(turns.give_back(workflow, id(6)), []);
        assert_eq!(turns.give_back(workflow, id(4)), []);
        assert!(turns.lock().is_empty());
    }
}

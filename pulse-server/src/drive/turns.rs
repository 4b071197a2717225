//! Turns: how many executions of one workflow run at once (`concurrency`), and who is next.

use super::driver::{Driver, Error};
use pulse_core::event::WorkflowRef;
use pulse_core::ids::{ExecutionId, WorkflowId};
use pulse_core::status::ExecutionStatus;
use pulse_core::workflow::{Concurrency, ConcurrencyPolicy};
use pulse_engine::{Input, State};
use pulse_store::ExecutionRecord;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

/// Executions that are read from the store at once.
const PAGE: usize = 1_000;

/// The executions that have not ended of each workflow with a limit: those of the others are nowhere but in the store.
/// Made again from the summaries after a restart, and for a workflow that gets a limit while some of it run.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<WorkflowId, Open>>);

#[derive(Default)]
struct Open {
    running: BTreeSet<ExecutionId>,
    queued: BTreeSet<ExecutionId>,
    /// The limit as the last start or admission knew it: versions may differ.
    limit: Option<u32>,
    /// Whether these are all: those of before are read from the store.
    complete: bool,
    /// Who ended before it was complete: what is read may be older.
    ended: HashSet<ExecutionId>,
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
        if limit.is_none() && !turns.contains_key(&workflow) {
            return Turn::Now(Vec::new());
        }
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

    /// From now on the executions of a workflow are counted. Answers false when they have been all the time.
    fn count(&self, workflow: WorkflowId) -> bool {
        !self.lock().entry(workflow).or_default().complete
    }

    /// Adds what was read from the store since [`Self::count`]: so all are there.
    fn complete(&self, workflow: WorkflowId, read: impl IntoIterator<Item = (ExecutionId, ExecutionStatus)>) {
        let mut turns = self.lock();
        let open = turns.entry(workflow).or_default();
        if std::mem::replace(&mut open.complete, true) {
            return;
        }
        let ended = std::mem::take(&mut open.ended);
        for (id, status) in read.into_iter().filter(|(id, _)| !ended.contains(id)) {
            open.add(id, status);
        }
    }

    /// All of a workflow without a limit are in the store alone, unless somebody counts them just now.
    fn forget(&self, workflow: WorkflowId) {
        let mut turns = self.lock();
        if turns.get(&workflow).is_some_and(|open| !open.complete && open.queued.is_empty()) {
            turns.remove(&workflow);
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
        if !open.complete {
            open.ended.insert(id);
        }
        let next = open.admit();
        if open.complete && open.limit.is_none() && open.running.is_empty() && open.queued.is_empty() {
            turns.remove(&workflow);
        }
        next
    }
}

impl Open {
    /// Takes one in that has a place already. It may have been admitted since its status was read.
    fn add(&mut self, id: ExecutionId, status: ExecutionStatus) {
        match status {
            ExecutionStatus::Queued if !self.running.contains(&id) => self.queued.insert(id),
            _ => self.running.insert(id),
        };
    }

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
        open.add(record.id, record.status);
    }

    /// Before a start of a workflow with a limit: makes sure that those of it which have not ended are counted.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn count_turns(&self, workflow: WorkflowId) -> Result<(), Error> {
        if !self.0.turns.count(workflow) {
            return Ok(());
        }
        let (mut read, mut after) = (Vec::new(), None);
        loop {
            let page = self.store().unfinished(after, PAGE).await?;
            after = page.last().map(|record| record.id);
            let of_it = page.iter().filter(|record| record.workflow_id == Some(workflow));
            read.extend(of_it.map(|record| (record.id, record.status)));
            if page.len() < PAGE {
                break;
            }
        }
        self.0.turns.complete(workflow, read);
        Ok(())
    }

    /// Ends an execution because a newer one takes its place.
    pub(super) fn make_room(&self, oldest: ExecutionId) {
        let reason = Some("a newer one takes its place (concurrency: cancel_oldest)".to_owned());
        self.give(oldest, Input::Abort { by: "concurrency".to_owned(), reason });
    }

    /// After a restart, when all have taken their places: ends those whose place a newer one has taken, if the server stopped
    /// before they heard of it. Workflows without a limit are forgotten.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn make_room_again(&self) -> Result<(), Error> {
        let newest = |open: &Open| open.running.last().or(open.queued.last()).copied();
        let newest: Vec<_> = self.0.turns.lock().iter().filter_map(|(id, open)| Some((*id, newest(open)?))).collect();
        for (workflow, newest) in newest {
            let concurrency = match self.store().execution(newest).await? {
                Some(record) => self.concurrency(&record).await?,
                None => None,
            };
            // All that have not ended have been read, and taken their places.
            match concurrency {
                None => self.0.turns.forget(workflow),
                Some(_) => self.0.turns.complete(workflow, []),
            }
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
        assert!(turns.lock()[&workflow].running.is_empty());
    }

    #[test]
    fn those_of_a_workflow_without_a_limit_are_not_kept() {
        let id = |n: u128| ExecutionId(uuid::Uuid::from_u128(n));
        let workflow = WorkflowId(uuid::Uuid::from_u128(99));
        let turns = Turns::default();
        assert_eq!(turns.take(workflow, id(1), None), Turn::Now(vec![]));
        assert!(turns.lock().is_empty());
        // It gets a limit while 1, 2 and 3 run; 2 ends and 4 starts while that is found out.
        assert!(turns.count(workflow));
        assert_eq!(turns.give_back(workflow, id(2)), []);
        assert_eq!(turns.take(workflow, id(4), None), Turn::Now(vec![]));
        turns.complete(workflow, [1, 2, 3].map(|n| (id(n), ExecutionStatus::Running)));
        assert!(!turns.count(workflow), "they are all there");
        let limit = Some(Concurrency { limit: 3, policy: ConcurrencyPolicy::Queue });
        assert_eq!(turns.take(workflow, id(5), limit), Turn::Queued(3));
        assert_eq!(turns.give_back(workflow, id(1)), [id(5)]);
        // Without the limit, the last one closes the book.
        assert_eq!(turns.take(workflow, id(6), None), Turn::Now(vec![]));
        (3..=6).for_each(|n| assert_eq!(turns.give_back(workflow, id(n)), []));
        assert!(turns.lock().is_empty());
    }
}

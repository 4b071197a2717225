//! The executions that are in memory. Each is one task, and whoever has something for an execution finds that task here.
//! A task is registered before it folds the journal, and until it has nothing more to do: so no two fold one execution,
//! and nothing is handed to one that has just gone.

use super::actor::Message;
use pulse_core::ids::ExecutionId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Inputs that may wait for one execution. Whoever gives more has to wait.
pub(super) const INBOX: usize = 256;

/// The tasks, by the ways to them.
#[derive(Default)]
pub(super) struct Resident(Mutex<HashMap<ExecutionId, mpsc::Sender<Message>>>);

impl Resident {
    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionId, mpsc::Sender<Message>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way to an execution's task. When it has none, it has one from now on, and the caller gets the other end: it
    /// runs the task.
    pub(super) fn enter(&self, id: ExecutionId) -> (mpsc::Sender<Message>, Option<mpsc::Receiver<Message>>) {
        let mut resident = self.lock();
        // The way to a task that panicked is closed.
        if let Some(inbox) = resident.get(&id).filter(|inbox| !inbox.is_closed()) {
            return (inbox.clone(), None);
        }
        let (inbox, messages) = mpsc::channel(INBOX);
        resident.insert(id, inbox.clone());
        (inbox, Some(messages))
    }

    /// Takes a task out, unless somebody is just handing something over to it.
    pub(super) fn leave(&self, id: ExecutionId, messages: &mpsc::Receiver<Message>) -> bool {
        self.leave_unless(id, messages, || {})
    }

    /// The same, with what others do between its two looks.
    fn leave_unless(&self, id: ExecutionId, messages: &mpsc::Receiver<Message>, meanwhile: impl FnOnce()) -> bool {
        let mut resident = self.lock();
        // Ways are only given under this lock: with the registry's own alone and nothing queued, nobody can come. In this
        // order: somebody who still has a way may hand something over and go away between the two looks.
        let has_only_way = messages.sender_strong_count() == 1;
        meanwhile();
        let is_alone = has_only_way && messages.is_empty();
        if is_alone {
            resident.remove(&id);
        }
        is_alone
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Takes a task out, whatever is on its way to it.
    pub(super) fn remove(&self, id: ExecutionId) {
        self.lock().remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_engine::Input;

    /// Whoever hands something over and goes away at the very moment in which a task leaves: the task stays.
    #[test]
    fn nothing_is_handed_to_a_task_that_leaves() {
        let (resident, id) = (Resident::default(), ExecutionId(uuid::Uuid::nil()));
        let (first, own) = resident.enter(id);
        let mut own = own.expect("nobody was there");
        drop(first);
        let (inbox, other) = resident.enter(id);
        assert!(other.is_none());
        let hand_over =
            move || inbox.try_send(Message { input: Input::Timer, reply: None }).expect("the task is there");
        let has_left = resident.leave_unless(id, &own, hand_over);
        assert!(own.try_recv().is_ok() && !has_left, "it has left with an input");
        assert!(resident.leave(id, &own), "nobody is there any more");
    }
}

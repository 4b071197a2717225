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
        let mut resident = self.lock();
        // Ways are only given under this lock: with the registry's own alone and nothing queued, nobody can come. In this
        // order: somebody who still has a way may hand something over and go away between the two looks.
        let is_alone = messages.sender_strong_count() == 1 && messages.is_empty();
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
    use std::sync::Barrier;

    /// Whoever hands something over at the very moment in which a task leaves: the task stays, or has not got it.
    #[test]
    fn nothing_is_handed_to_a_task_that_leaves() {
        const TURNS: usize = 20_000;
        let (resident, id, barrier) = (Resident::default(), ExecutionId(uuid::Uuid::nil()), Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..TURNS {
                    barrier.wait();
                    let (inbox, own) = resident.enter(id);
                    // A task that has left has a successor, which is this thread's.
                    if own.is_none() {
                        inbox.try_send(Message { input: Input::Timer, reply: None }).expect("the task is there");
                    }
                    drop(inbox);
                    barrier.wait();
                    resident.remove(id);
                    barrier.wait();
                }
            });
            for turn in 0..TURNS {
                let (inbox, own) = resident.enter(id);
                let mut own = own.expect("nobody is there");
                drop(inbox);
                barrier.wait();
                let mut has_left = false;
                for _ in 0..turn % 64 {
                    has_left = has_left || resident.leave(id, &own);
                }
                barrier.wait();
                assert!(!(has_left && own.try_recv().is_ok()), "it has left with an input, in turn {turn}");
                barrier.wait();
            }
        });
    }
}

//! Commands that ended without their worker, on their way to their executions.

use super::Verdict;
use std::sync::Mutex;
use tokio::sync::Notify;

/// A list that is waited for. It holds at most what the workers' ledgers held.
#[derive(Default)]
pub(super) struct Ends {
    list: Mutex<Vec<Verdict>>,
    added: Notify,
}

impl Ends {
    pub fn add(&self, verdicts: Vec<Verdict>) {
        if verdicts.is_empty() {
            return;
        }
        self.list.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(verdicts);
        self.added.notify_one();
    }

    /// Waits until there are some, and takes them all. Nothing is lost when it is dropped while it waits.
    pub async fn take(&self) -> Vec<Verdict> {
        loop {
            let taken = std::mem::take(&mut *self.list.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
            if !taken.is_empty() {
                return taken;
            }
            self.added.notified().await;
        }
    }
}

//! Children between their parent's decision and their own first entry: there is nothing in the store yet that could be
//! aborted, so an abort that comes meanwhile is remembered and given as soon as there is.

use pulse_core::ids::ExecutionId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The children that are being started, each with the reason of an abort that came meanwhile.
#[derive(Default)]
pub(super) struct Starting(Mutex<HashMap<ExecutionId, Option<String>>>);

impl Starting {
    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionId, Option<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A child is about to be started. Said before anything else can happen to its parent.
    pub(super) fn announce(&self, child: ExecutionId) {
        self.lock().entry(child).or_default();
    }

    /// Whether the abort of a child has been remembered: it is still being started. Else it is in the store.
    pub(super) fn remember(&self, child: ExecutionId, reason: &str) -> bool {
        match self.lock().get_mut(&child) {
            Some(abort) => {
                abort.get_or_insert_with(|| reason.to_owned());
                true
            }
            None => false,
        }
    }

    /// Whether its abort has been remembered.
    pub(super) fn is_given_up(&self, child: ExecutionId) -> bool {
        self.lock().get(&child).is_some_and(Option::is_some)
    }

    /// A child has been started, or cannot be. The reason of an abort that came meanwhile.
    pub(super) fn over(&self, child: ExecutionId) -> Option<String> {
        self.lock().remove(&child).flatten()
    }
}

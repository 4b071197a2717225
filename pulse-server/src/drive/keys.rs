//! Idempotency keys under which a start is under way: a request that is repeated meanwhile waits until the first one's
//! outcome is durable, and is answered with that.

use pulse_store::IdempotencyKey;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The keys, by scope and key. Each is held by a request of its own, which the server's limits bound.
#[derive(Default)]
pub(super) struct Keys {
    held: Mutex<HashSet<(String, String)>>,
    freed: Notify,
}

/// A key that is held until this is dropped.
pub(super) struct Held<'k> {
    keys: &'k Keys,
    key: (String, String),
}

impl Keys {
    fn lock(&self) -> MutexGuard<'_, HashSet<(String, String)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds a key, when nobody else does any more. Nothing is held when this is dropped while it waits.
    pub(super) async fn hold(&self, key: &IdempotencyKey) -> Held<'_> {
        let key = (key.scope.clone(), key.key.clone());
        loop {
            // Before the look: who lets go right after it is noticed.
            let freed = self.freed.notified();
            if self.lock().insert(key.clone()) {
                return Held { keys: self, key };
            }
            freed.await;
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.keys.lock().remove(&self.key);
        self.keys.freed.notify_waiters();
    }
}

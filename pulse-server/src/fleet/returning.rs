//! After a start: the workers that were connected when the server last ran are on their way back. Until they are here, or
//! have had time to be, a step that would leave one of them out is put off.

use crate::clock;
use pulse_core::event::WorkerRef;
use pulse_core::ids::WorkerId;
use pulse_core::time::Timestamp;
use pulse_engine::fleet::Resolved;
use pulse_store::WorkerRecord;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How long after the start they are waited for, at least, and on top of the server's absence: a worker that waits longer
/// before each try has waited about as long as the server was away until then.
const TIME: Duration = Duration::from_secs(10);
/// How long they are waited for at most: workers wait up to 30 s before a try.
const MOST: Duration = Duration::from_secs(40);
/// Who was heard from within this time before the last sign of any worker was connected then: signs are noted four
/// times a minute.
const TOGETHER: Duration = Duration::from_secs(60);

/// The longest time until whoever waits for somebody looks again.
const AGAIN: Duration = Duration::from_millis(500);

/// Who is expected.
pub(crate) struct Returning {
    expected: Mutex<HashSet<WorkerId>>,
    until: Timestamp,
    changed: Notify,
}

impl Returning {
    /// Those of the registry that were connected at last, from now on.
    pub fn of(workers: &[WorkerRecord], now: Timestamp) -> Self {
        let last = workers.iter().map(|worker| worker.last_seen).max();
        let connected = |worker: &&WorkerRecord| last.is_some_and(|last| last.since(worker.last_seen) <= TOGETHER);
        let expected = workers.iter().filter(connected).map(|worker| worker.id).collect();
        let absence = last.map_or(MOST, |last| now.since(last));
        let until = clock::steady().plus(absence.saturating_add(TIME).min(MOST));
        Self { expected: Mutex::new(expected), until, changed: Notify::new() }
    }

    fn expected(&self) -> MutexGuard<'_, HashSet<WorkerId>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker is here, or was removed.
    pub fn came(&self, id: WorkerId) {
        if self.expected().remove(&id) {
            self.changed.notify_waiters();
        }
    }

    /// Whether anybody is still expected.
    pub fn expects_any(&self) -> bool {
        clock::steady() < self.until && !self.expected().is_empty()
    }

    /// Whether somebody is expected who would be left out of these targets.
    pub fn misses(&self, targets: &Resolved) -> bool {
        self.expects_any() && {
            let expected = self.expected();
            let is_left_out = |(worker, _): &(WorkerRef, _)| expected.contains(&worker.worker_id);
            targets.offline.iter().any(is_left_out) || (targets.online.is_empty() && !expected.is_empty())
        }
    }

    /// Waits until somebody has come, or the time is over.
    pub async fn changed(&self) {
        let changed = self.changed.notified();
        // Who came between the look and this is not told again: then the wait is a short one.
        let left = self.until.since(clock::steady()).min(AGAIN);
        let _ = tokio::time::timeout(left, changed).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(seen_ago: u64) -> WorkerRecord {
        WorkerRecord {
            id: WorkerId(uuid::Uuid::new_v4()),
            name: "w".into(),
            labels: Default::default(),
            capacity: 1,
            draining: false,
            version: String::new(),
            last_seen: Timestamp::from_millis(1_000_000_000 - i64::try_from(seen_ago).unwrap() * 1_000),
            metadata: Default::default(),
            created_at: Timestamp::from_millis(0),
        }
    }

    /// Targets of which one is online and this one is not.
    fn offline(id: WorkerId) -> Resolved {
        let worker = |worker_id| WorkerRef { worker_id, worker: "w".into() };
        let online = vec![worker(WorkerId(uuid::Uuid::nil()))];
        Resolved { online, offline: vec![(worker(id), "offline")], lacks_any: false }
    }

    /// A worker's waits grow as long as the server is away, up to their limit.
    #[test]
    fn they_are_waited_for_longer_after_a_longer_absence() {
        let waits = |away: u64| {
            let now = Timestamp::from_millis(1_000_000_000 + i64::try_from(away).unwrap() * 1_000);
            Returning::of(&[worker(0)], now).until.since(clock::steady()).as_secs_f64().round()
        };
        assert_eq!([1, 15, 30, 3_600].map(waits), [11.0, 25.0, 40.0, 40.0]);
    }

    #[test]
    fn those_that_were_connected_are_missed_until_they_come() {
        let (here, also_here, long_gone) = (worker(0), worker(30), worker(3_600));
        let now = Timestamp::from_millis(1_000_000_000);
        let returning = Returning::of(&[here.clone(), also_here.clone(), long_gone.clone()], now);
        assert!(returning.misses(&offline(here.id)) && returning.misses(&offline(also_here.id)));
        assert!(!returning.misses(&offline(long_gone.id)) && returning.misses(&Resolved::default()));
        returning.came(here.id);
        assert!(!returning.misses(&offline(here.id)) && returning.misses(&offline(also_here.id)));
        returning.came(also_here.id);
        assert!(!returning.expects_any() && !returning.misses(&Resolved::default()));
    }
}

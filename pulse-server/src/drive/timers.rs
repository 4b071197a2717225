//! Timers: a heap of what is due within the next minute. The rest is in the store, by `wake_at`, and is looked up twice
//! a minute: a million waiting executions cost no memory.

use super::driver::Driver;
use crate::clock;
use pulse_core::ids::ExecutionId;
use pulse_core::time::Timestamp;
use pulse_engine::Input;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::time::Duration;
use tokio::sync::mpsc;

/// How far ahead timers are in memory.
const HORIZON: Duration = Duration::from_secs(60);
/// Between two looks into the store: half the horizon, so that nothing falls between.
const REFILL: Duration = Duration::from_secs(30);
/// Timers that are read from the store at one look; more come with the next, which then follows at once.
const PAGE: usize = 10_000;
/// Timers on their way to the task. When it is full, the store still has them.
const INBOX: usize = 4_096;

/// Sets timers. Cheap to clone.
#[derive(Clone)]
pub struct Timers(mpsc::Sender<(Timestamp, ExecutionId)>);

/// The receiving end, for [`Timers::run`].
pub struct Due(mpsc::Receiver<(Timestamp, ExecutionId)>);

impl Timers {
    /// A handle and what has to be run.
    pub fn new() -> (Self, Due) {
        let (sender, receiver) = mpsc::channel(INBOX);
        (Self(sender), Due(receiver))
    }

    /// Wakes an execution at a time. Its `wake_at` is in the store already, so one that is far away, or finds no room,
    /// is found there.
    pub(super) fn set(&self, id: ExecutionId, at: Timestamp) {
        if at <= clock::now().plus(HORIZON) {
            let _ = self.0.try_send((at, id));
        }
    }
}

impl Due {
    /// Wakes executions when they are due, until the server stops.
    pub async fn run(mut self, driver: Driver) {
        let mut heap: BinaryHeap<Reverse<(Timestamp, ExecutionId)>> = BinaryHeap::new();
        let mut known: HashSet<(Timestamp, ExecutionId)> = HashSet::new();
        let mut refill = tokio::time::interval(REFILL);
        refill.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let next = heap.peek().map_or(REFILL, |Reverse((at, _))| at.since(clock::now()));
            tokio::select! {
                () = driver.0.stop.cancelled() => return,
                Some(timer) = self.0.recv() => if known.insert(timer) { heap.push(Reverse(timer)) },
                _ = refill.tick() => {
                    let until = clock::now().plus(HORIZON);
                    match driver.0.store.due(until, PAGE).await {
                        Ok(due) => {
                            if due.len() == PAGE {
                                refill.reset_after(Duration::from_millis(100));
                            }
                            for (id, at) in due {
                                if known.insert((at, id)) {
                                    heap.push(Reverse((at, id)));
                                }
                            }
                        }
                        Err(error) => tracing::error!(%error, "timers cannot be read"),
                    }
                }
                () = tokio::time::sleep(next) => {
                    let now = clock::now();
                    while let Some(Reverse((at, id))) = heap.peek().copied().filter(|Reverse((at, _))| *at <= now) {
                        heap.pop();
                        known.remove(&(at, id));
                        driver.give(id, Input::Timer);
                    }
                }
            }
        }
    }
}

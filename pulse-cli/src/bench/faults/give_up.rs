//! Requests that are given up half-way, and what became of them.

use super::ledger::Unsettled;
use super::load::{AGAIN, Load, SMALL};
use crate::render::age::now;
use fastrand::Rng;
use pulse_core::ids::ExecutionId;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// Requests at once: as many as a busy server sees, not as many as there can be.
const AT_ONCE: usize = 64;
/// The longest time after which a request is given up, in microseconds: at first, and its bounds.
pub const FIRST_LIMIT: u64 = 20_000;
const BOUNDS: (u64, u64) = (500, 5_000_000);
/// Starts that are asked for again at once. Each is waited for before the next one.
const SETTLED_AT_ONCE: usize = 16;
/// How long a start that was given up may take to be settled, once there are no faults, and then to end.
const SETTLE: Duration = Duration::from_secs(30);

impl Load {
    /// Starts executions and gives each request up half-way. Afterwards each key has to stand for one execution.
    pub async fn cancel_requests(&self, count: u32, rng: &mut Rng) {
        let mut requests = JoinSet::new();
        for _ in 0..count {
            let (load, key) = (self.clone(), Uuid::new_v4());
            let (share, lines) = (rng.f64(), rng.u32(1..10));
            requests.spawn(async move {
                let (body, longest) = (load.body(lines), load.given_up_after.load(Ordering::Relaxed));
                let limit = Duration::from_micros(longest).mul_f64(share);
                // Dropped when its time is over: the connection is closed in the middle of whatever happens.
                let told = tokio::time::timeout(limit, load.try_start(SMALL, key, &body)).await.ok().flatten();
                // The longest time follows how long the server takes, whatever the machine is: with these steps about
                // three of ten requests are answered before.
                let next = |longest: u64| {
                    let next = if told.is_some() { longest - longest / 20 } else { longest + longest / 50 };
                    Some(next.clamp(BOUNDS.0, BOUNDS.1))
                };
                let _ = load.given_up_after.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
                let workflow = SMALL.to_owned();
                load.ledger.unsettled(Unsettled { key, workflow, lines, given_up: true, told });
            });
            while requests.len() >= AT_ONCE {
                requests.join_next().await;
            }
        }
        while requests.join_next().await.is_some() {}
    }

    /// Asks again under the key of each request that was given up, so that each has been acknowledged once.
    pub async fn settle(&self) {
        let unsettled = std::mem::take(&mut self.ledger.entries().unsettled);
        self.ledger.entries().settled += unsettled.len() as u64;
        let (mut starts, places) = (JoinSet::new(), Arc::new(Semaphore::new(SETTLED_AT_ONCE)));
        for start in unsettled {
            let (load, places) = (self.clone(), places.clone());
            starts.spawn(async move {
                let _place = places.acquire_owned().await;
                load.settle_one(start).await;
            });
        }
        while starts.join_next().await.is_some() {}
    }

    async fn settle_one(&self, Unsettled { key, workflow, lines, given_up, told }: Unsettled) {
        let (deadline, body, asked) = (Instant::now() + SETTLE, self.body(lines), now());
        let id = loop {
            match self.try_start(&workflow, key, &body).await {
                Some(id) => break id,
                None if Instant::now() > deadline => {
                    return self.ledger.wrong(format!("the start with the key {key} cannot be settled"));
                }
                None => sleep(AGAIN).await,
            }
        };
        self.ledger.started(id);
        if let Some(before) = told.filter(|before| *before != id) {
            self.ledger.wrong(format!("one key, two executions: {before} and {id}"));
        }
        if given_up {
            let counts = &mut self.ledger.entries().given_up;
            match told {
                Some(_) => counts.answered += 1,
                None if made_before(id, asked.as_millis()) => counts.started += 1,
                None => counts.not_started += 1,
            }
        }
        while Instant::now() < deadline && !self.has_ended(id).await {
            sleep(AGAIN).await;
        }
    }
}

/// Whether an execution was made before a time, in milliseconds since the epoch: its id, a UUIDv7, begins with its time.
fn made_before(id: ExecutionId, millis: i64) -> bool {
    let made = id.0.as_u128() >> 80;
    made < u128::try_from(millis).unwrap_or(0)
}

//! Looks after workers that say nothing, once a second and not on any command's path; ends commands whose workers
//! cannot tell how they ended, asks for commands that were not sent to workers which are given no work, and tells
//! watchers which commands wait.

use super::registry::Inspected;
use super::{Fleet, Stranding, Told, Verdict};
use crate::clock;
use crate::drive::Driver;
use pulse_engine::Input;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// A look that comes so late shows that this server stood still: it was stopped, or its machine was.
const LATE: Duration = Duration::from_secs(2);
/// Looks between two notes in the store of who was heard from.
const NOTE_EVERY: u32 = 15;
/// Between two tries to record an end.
const AGAIN: Duration = Duration::from_secs(1);

/// Watches until the server stops.
pub async fn watch(fleet: Fleet, driver: Driver, stop: CancellationToken) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut looks, mut last, mut told) = (0_u32, clock::steady(), Told::default());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            verdicts = fleet.ends() => {
                for verdict in verdicts {
                    driver.spawn(end(verdict, fleet.clone(), driver.clone(), stop.clone()));
                }
                continue;
            }
            _ = interval.tick() => {}
        }
        let now = clock::steady();
        let late = now.since(std::mem::replace(&mut last, now)).saturating_sub(INTERVAL);
        if late > LATE {
            tracing::warn!(seconds = late.as_secs(), "the server stood still: nobody could be heard meanwhile");
            fleet.stood_still(late);
        }
        let Inspected { seen, stranded, came } = fleet.inspect();
        fleet.tell_deliveries(&mut told);
        for worker_id in came {
            driver.worker_online(worker_id);
        }
        for stranding in stranded {
            driver.spawn(ask(stranding, fleet.clone(), driver.clone(), stop.clone()));
        }
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(NOTE_EVERY) && !seen.is_empty() {
            let seen = seen.into_iter().map(|seen| (seen.worker_id, seen.at)).collect();
            if let Err(error) = driver.store().touch_workers(seen).await {
                tracing::warn!(%error, "when workers were last seen could not be noted");
            }
        }
    }
}

/// Asks an execution what becomes of a command that waits for a worker which is given no work. It is sent nowhere until it
/// has been decided; when it cannot be, it waits on.
async fn ask(stranding: Stranding, fleet: Fleet, driver: Driver, stop: CancellationToken) {
    let Stranding { execution_id, worker_id, command_id } = stranding;
    let input = Input::CommandStranded { command_id, worker_id };
    while let Err(error) = driver.input(execution_id, input.clone()).await {
        if !error.is_transient() {
            tracing::warn!(execution = %execution_id, command = %command_id, %error, "a command waits for a worker that is given no work");
            return fleet.stays(worker_id, command_id, false);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// Records an end, however often it takes, then forgets the command.
async fn end(verdict: Verdict, fleet: Fleet, driver: Driver, stop: CancellationToken) {
    let Verdict { execution_id, worker_id, command_id, end } = verdict;
    while let Err(error) = driver.result(execution_id, command_id, end.clone()).await {
        tracing::error!(execution = %execution_id, command = %command_id, %error, "a command could not be ended");
        if !error.is_transient() {
            break;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
    fleet.given_up(worker_id, command_id, end.outcome);
}

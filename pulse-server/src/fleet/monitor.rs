//! Looks after workers that say nothing: once a second, not on any command's path.

use super::Fleet;
use crate::drive::Driver;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);
/// Looks between two notes in the store of who was heard from.
const NOTE_EVERY: u32 = 15;

/// Watches until the server stops.
pub async fn watch(fleet: Fleet, driver: Driver, stop: CancellationToken) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut looks = 0_u32;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = interval.tick() => {}
        }
        let (verdicts, seen) = fleet.inspect();
        for verdict in verdicts {
            driver.end_command(verdict);
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

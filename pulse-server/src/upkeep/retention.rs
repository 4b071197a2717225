//! Deletes executions that ended long ago: a few at a time, so that no append waits for it.

use crate::clock;
use pulse_core::time::Timestamp;
use pulse_store::{Result, Store};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two sweeps, and before the first: a server that has just started has other work.
const EVERY: Duration = Duration::from_secs(10 * 60);
const FIRST: Duration = Duration::from_secs(30);
/// Executions that are looked up at once.
const PAGE: usize = 100;
/// Between two deletions: the store does each in small steps, and this leaves others most of the time between them.
const PAUSE: Duration = Duration::from_millis(5);

/// Sweeps until the server stops.
pub async fn run(store: Arc<dyn Store>, keep: Duration, stop: CancellationToken) {
    let mut wait = FIRST;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = EVERY;
        let until = before(clock::now(), keep);
        match sweep(&*store, until, &stop).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(deleted, %until, "deleted executions that ended before"),
            Err(error) => tracing::warn!(%error, "old executions could not be deleted; trying again later"),
        }
    }
}

/// Deletes what ended before a time. Answers how many that were.
pub(super) async fn sweep(store: &dyn Store, until: Timestamp, stop: &CancellationToken) -> Result<u64> {
    let mut deleted = 0;
    loop {
        let page = store.finished_before(until, PAGE).await?;
        for id in &page {
            if stop.is_cancelled() {
                return Ok(deleted);
            }
            if store.delete_execution(*id).await? {
                deleted += 1;
            }
            tokio::time::sleep(PAUSE).await;
        }
        if page.len() < PAGE {
            return Ok(deleted);
        }
    }
}

/// The time so long before another.
pub(super) fn before(now: Timestamp, keep: Duration) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX)))
}

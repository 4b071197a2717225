//! While the disk is full, or the database cannot be reached: a small write each second, so that the server says that it
//! is ready as soon as it is, though nobody else writes. And one at the start, which is refused when there is no room.

use pulse_store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// What is written. It needs new pages, as an entry with output does.
const BYTES: usize = 64 * 1024;
/// Where.
const SETTING: &str = "room";

/// Whether there is room for what an execution needs, found out by a small write.
///
/// # Errors
/// When there is not, or the database cannot be written for another reason.
pub(crate) async fn probe(store: &dyn Store) -> pulse_store::Result<()> {
    store.put_setting(SETTING, vec![0; BYTES]).await?;
    store.put_setting(SETTING, Vec::new()).await
}

/// Looks until the server stops. Says when nothing can be stored and when it can again, once each: those whose writes are
/// tried again say nothing.
pub(crate) async fn run(store: Arc<dyn Store>, stop: CancellationToken) {
    let mut is_in_trouble = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        match store.trouble() {
            Some(trouble) if !is_in_trouble => {
                is_in_trouble = true;
                tracing::error!(%trouble, "nothing can be stored; it is tried again until it can");
            }
            None if !is_in_trouble => continue,
            // Small writes may succeed now and then.
            _ => {}
        }
        if probe(&*store).await.is_ok() {
            is_in_trouble = false;
            tracing::info!("the database takes writes again");
        }
    }
}

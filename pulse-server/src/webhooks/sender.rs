//! The task that has calls made: those whose time has come, one at a time for each host, so that a slow receiver holds up
//! nobody but itself. What is to be done stands in the store; in memory is only what is under way.
//!
//! A try is counted before it is made, with a time at which it is made again should nobody live to note what came of it.
//! That note needs the count that was made: two servers on one database do not make the same try.

use super::backoff::next_try;
use super::call::{Caller, LONGEST, Tried};
use super::names::{Names, System};
use super::{Allowed, SigningKey, Webhooks};
use crate::clock;
use pulse_core::status::WebhookStatus;
use pulse_store::{DeliveryProgress, DeliveryRecord, Store};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// Calls that are made at once, each of another host.
const AT_ONCE: usize = 32;
/// The longest time between two looks into the store: another server may have written something.
const IDLE: Duration = Duration::from_secs(60);
/// After a store that could not be read or written.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a try may be without a note of what came of it before it is made again: longer than any takes.
const UNNOTED: Duration = LONGEST.saturating_add(Duration::from_secs(5));
/// How long calls under way may take when the server stops. Those that do not end are made again.
const STOPPING: Duration = Duration::from_secs(3);

/// Sends what is to be sent.
pub(crate) struct Sender {
    shared: Arc<Shared>,
    webhooks: Webhooks,
}

struct Shared {
    store: Arc<dyn Store>,
    caller: Caller,
    stop: CancellationToken,
}

impl Sender {
    /// Sends what is in a store, signed, to whom it may be sent.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        webhooks: Webhooks,
        key: Option<SigningKey>,
        allowed: Allowed,
        stop: CancellationToken,
    ) -> Self {
        Self::with_names(store, webhooks, key, allowed, stop, Arc::new(System))
    }

    pub(super) fn with_names(
        store: Arc<dyn Store>,
        webhooks: Webhooks,
        key: Option<SigningKey>,
        allowed: Allowed,
        stop: CancellationToken,
        names: Arc<dyn Names>,
    ) -> Self {
        let caller = Caller::new(key, allowed, names);
        Self { shared: Arc::new(Shared { store, caller, stop }), webhooks }
    }

    /// Sends until the server stops.
    pub(crate) async fn run(self) {
        let (mut tries, mut busy) = (JoinSet::new(), HashMap::new());
        loop {
            let wait = match self.start_due(&mut tries, &mut busy).await {
                Ok(wait) => wait,
                Err(error) => {
                    // That the database has trouble is said once, by others.
                    tracing::debug!(%error, "calls of webhooks cannot be read; trying again");
                    AGAIN
                }
            };
            tokio::select! {
                () = self.shared.stop.cancelled() => break,
                Some(ended) = tries.join_next_with_id() => free(&mut busy, ended),
                () = self.webhooks.woken() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        let ending = async { while tries.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(STOPPING, ending).await;
    }

    /// Begins what is due, as far as there is room. Answers when there may be more, if nothing happens before.
    async fn start_due(
        &self,
        tries: &mut JoinSet<()>,
        busy: &mut HashMap<Id, String>,
    ) -> pulse_store::Result<Duration> {
        loop {
            let room = AT_ONCE.saturating_sub(busy.len());
            if room == 0 {
                return Ok(IDLE);
            }
            let hosts: Vec<String> = busy.values().cloned().collect();
            let next = self.shared.store.next_deliveries(&hosts, room).await?;
            let (is_all, now) = (next.len() < room, clock::now());
            for record in next {
                let at = record.progress.next_try_at.unwrap_or(now);
                if at > now {
                    return Ok(at.since(now).min(IDLE));
                }
                // One of a page is enough for a host.
                if !busy.values().any(|host| *host == record.what.host) {
                    let host = record.what.host.clone();
                    let task = tries.spawn(self.shared.clone().attempt(record));
                    busy.insert(task.id(), host);
                }
            }
            if is_all {
                return Ok(IDLE);
            }
        }
    }
}

/// A host is free again.
fn free(busy: &mut HashMap<Id, String>, ended: Result<(Id, ()), tokio::task::JoinError>) {
    let id = match ended {
        Ok((id, ())) => id,
        Err(error) => {
            tracing::error!(%error, "a call of a webhook broke off; it is made again");
            error.id()
        }
    };
    busy.remove(&id);
}

impl Shared {
    /// Makes a try, from its count to the note of what came of it.
    async fn attempt(self: Arc<Self>, record: DeliveryRecord) {
        let DeliveryRecord { execution_id, what, progress } = record;
        let before = progress.attempts;
        let begun = DeliveryProgress {
            attempts: before.saturating_add(1),
            next_try_at: Some(clock::now().plus(UNNOTED)),
            ..progress
        };
        match self.store.move_delivery(what.id, before, begun.clone()).await {
            Ok(true) => {}
            // It is somebody else's, or gone with its execution.
            Ok(false) => return,
            Err(error) => {
                tracing::debug!(delivery = %what.id, %error, "a call of a webhook waits to be counted");
                // Its host stays busy for so long.
                return tokio::time::sleep(AGAIN).await;
            }
        }
        let tried = self.caller.call(&what).await;
        let attempts = begun.attempts;
        let again = next_try(what.created_at, clock::now(), attempts, clock::entropy()).filter(|_| !tried.is_final);
        let ended = after(begun, tried, again);
        match (ended.status, &ended.error) {
            (WebhookStatus::GivenUp, Some(error)) => {
                tracing::warn!(execution = %execution_id, delivery = %what.id, attempts, %error, "a webhook was given up");
            }
            (_, error) => {
                tracing::debug!(execution = %execution_id, delivery = %what.id, attempts, ?error, "a webhook was called")
            }
        }
        // Without the note it would be called again.
        while let Err(error) = self.store.move_delivery(what.id, attempts, ended.clone()).await {
            if !error.retryable() || self.stop.is_cancelled() {
                return tracing::debug!(delivery = %what.id, %error, "what came of a call cannot be noted");
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// How far a call is after a try.
fn after(begun: DeliveryProgress, tried: Tried, again: Option<pulse_core::time::Timestamp>) -> DeliveryProgress {
    let Tried { status: answer_status, answer, error, .. } = tried;
    let (status, next_try_at) = match (&error, again) {
        (None, _) => (WebhookStatus::Delivered, None),
        (Some(_), Some(at)) => (WebhookStatus::Pending, Some(at)),
        (Some(_), None) => (WebhookStatus::GivenUp, None),
    };
    DeliveryProgress { status, next_try_at, answer_status, answer, error, ..begun }
}

//! Calls of webhooks: written with the entries that cause them, tried until they are taken or given up.

use crate::Result;
use crate::text::{make_name, make_storable};
use async_trait::async_trait;
use pulse_core::ids::{DeliveryId, ExecutionId};
use pulse_core::status::{WebhookEvent, WebhookStatus};
use pulse_core::time::Timestamp;

/// A call to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its id: a UUIDv7, so that ids sort by age.
    pub id: DeliveryId,
    /// What it tells.
    pub event: WebhookEvent,
    /// Whom.
    pub url: String,
    /// Host and port of that: calls of one host are made one at a time.
    pub host: String,
    /// What is sent, the same at each try.
    pub body: String,
    /// When it was caused, and so may be made first.
    pub created_at: Timestamp,
}

/// How far a call has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryProgress {
    /// How often it was tried; a try counts from its beginning.
    pub attempts: u32,
    /// Where it stands.
    pub status: WebhookStatus,
    /// When it is tried next: exactly while it is pending.
    pub next_try_at: Option<Timestamp>,
    /// The status of the last answer.
    pub answer_status: Option<u16>,
    /// The beginning of the last answer.
    pub answer: Option<String>,
    /// Why the last try failed.
    pub error: Option<String>,
}

/// A call that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// Which execution caused it.
    pub execution_id: ExecutionId,
    /// What is to be done.
    pub what: NewDelivery,
    /// How far that is.
    pub progress: DeliveryProgress,
}

/// The calls of all executions. They are written by appends, and deleted with their execution.
#[async_trait]
pub trait Deliveries {
    /// Up to `limit` calls of an execution, oldest first, only those after `after` when it is given.
    async fn deliveries(&self, id: ExecutionId, after: Option<DeliveryId>, limit: usize)
    -> Result<Vec<DeliveryRecord>>;

    /// One call.
    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>>;

    /// Up to `limit` pending calls of other hosts than these, the next to be tried first: also those whose time has not
    /// come.
    async fn next_deliveries(&self, busy: &[String], limit: usize) -> Result<Vec<DeliveryRecord>>;

    /// Notes how far a call has come, if it has been tried just so often as is thought: else somebody else tries it, or it
    /// is gone. Answers whether that was so.
    async fn move_delivery(&self, id: DeliveryId, attempts: u32, progress: DeliveryProgress) -> Result<bool>;
}

impl NewDelivery {
    /// The same with texts that every database keeps.
    pub(crate) fn storable(mut self) -> Self {
        [&mut self.url, &mut self.body].into_iter().for_each(make_storable);
        make_name(&mut self.host);
        self
    }
}

impl DeliveryProgress {
    /// Of one that has not been tried.
    pub fn new(created_at: Timestamp) -> Self {
        Self {
            attempts: 0,
            status: WebhookStatus::Pending,
            next_try_at: Some(created_at),
            answer_status: None,
            answer: None,
            error: None,
        }
    }

    /// The same with texts that every database keeps.
    pub(crate) fn storable(mut self) -> Self {
        self.answer.iter_mut().chain(self.error.iter_mut()).for_each(make_storable);
        self
    }
}

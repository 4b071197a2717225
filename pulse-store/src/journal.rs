//! Journals: what is appended, and the trait that keeps it.

use crate::{ExecutionRecord, NewDelivery, Result};
use async_trait::async_trait;
use pulse_core::event::Entry;
use pulse_core::ids::{ExecutionId, Seq};

/// Entries for one execution's journal, with the summary that holds after them. Committed together or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// Whose journal.
    pub execution_id: ExecutionId,
    /// Under which ownership it is written. Refused when the stored one is larger; kept when it is not.
    pub fence: i64,
    /// Consecutive entries; the first one's number is the expected next. None at all replace the summary alone, which
    /// then must be the one for the journal's end.
    pub entries: Vec<Entry>,
    /// The summary after these entries. Its `fence` is replaced by the append's; its owner and lease count with the first
    /// entries only, after that they belong to [`Claims`](crate::Claims).
    pub record: ExecutionRecord,
    /// The key under which a client may send the same request again.
    pub idempotency: Option<IdempotencyKey>,
    /// With the first entries: the execution's secrets, sealed so that nobody can read them here. They are kept until an
    /// append whose summary has ended, and deleted together with that.
    pub secrets: Option<Vec<u8>>,
    /// The calls of webhooks that these entries cause.
    pub deliveries: Vec<NewDelivery>,
}

/// A client's promise that two requests with this key are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Where the key holds: principal and route.
    pub scope: String,
    /// The key, as the client sent it.
    pub key: String,
    /// Hash of the request, to tell a repetition from another request under the same key.
    pub request_hash: String,
}

/// How an append ended, when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is durable.
    New,
    /// Its idempotency key has been used before: nothing was appended.
    Existing {
        /// What the first request with that key wrote to.
        execution_id: ExecutionId,
        /// Whether that was the same request.
        same_request: bool,
    },
}

/// The journals of all executions: append-only, without gaps, one writer each.
#[async_trait]
pub trait Journal {
    /// Appends entries and replaces the summary, durably. Dropping the future never takes back or tears a commit: it
    /// happens wholly or, if the call had not been queued yet, not at all.
    async fn append(&self, append: Append) -> Result<Appended>;

    /// What an append under this idempotency key would be answered, when the key has been used: always
    /// [`Appended::Existing`].
    async fn used(&self, key: &IdempotencyKey) -> Result<Option<Appended>>;

    /// Up to `limit` entries with numbers after `after`, in order. Nothing for an unknown execution.
    async fn read(&self, id: ExecutionId, after: Seq, limit: usize) -> Result<Vec<Entry>>;

    /// Up to `limit` executions that have a journal, by id, only those after `after` when it is given: also those whose
    /// summary is missing, but none that has been deleted.
    async fn journals(&self, after: Option<ExecutionId>, limit: usize) -> Result<Vec<ExecutionId>>;

    /// The sealed secrets of an execution that has some and has not ended.
    async fn execution_secrets(&self, id: ExecutionId) -> Result<Option<Vec<u8>>>;
}

impl Append {
    /// The same with texts that every database keeps; those of entries are JSON, which has no NUL.
    pub(crate) fn storable(self) -> Self {
        let deliveries = self.deliveries.into_iter().map(NewDelivery::storable).collect();
        Self { record: self.record.storable(), deliveries, ..self }
    }

    /// The number that the first entry expects to be next.
    pub(crate) fn expected(&self) -> Seq {
        self.entries.first().map_or_else(|| self.record.last_seq.next(), |entry| entry.seq)
    }

    /// Checks what can be checked without the database: consecutive entries and a summary that belongs to them.
    pub(crate) fn check(&self) -> Result<()> {
        for pair in self.entries.windows(2) {
            if pair[1].seq != pair[0].seq.next() {
                let (expected, actual) = (pair[1].seq, pair[0].seq.next());
                return Err(crate::Error::Conflict { execution_id: self.execution_id, expected, actual });
            }
        }
        let last = self.entries.last().map_or(self.record.last_seq, |entry| entry.seq);
        if self.record.id != self.execution_id || self.record.last_seq != last {
            return Err(crate::Error::Corrupt {
                what: format!("an append to execution {}", self.execution_id),
                detail: format!("its summary is of {} after entry {}", self.record.id, self.record.last_seq),
            });
        }
        Ok(())
    }
}

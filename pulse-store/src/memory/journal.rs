//! Journals in memory.

use super::{MemoryStore, State, UsedKey};
use crate::{Append, Appended, DeliveryProgress, DeliveryRecord, Error, IdempotencyKey, Journal, Result};
use async_trait::async_trait;
use pulse_core::event::Entry;
use pulse_core::ids::{ExecutionId, Seq};

#[async_trait]
impl Journal for MemoryStore {
    async fn append(&self, append: Append) -> Result<Appended> {
        append.check()?;
        self.lock_to_write()?.append(append.storable())
    }

    async fn used(&self, key: &IdempotencyKey) -> Result<Option<Appended>> {
        Ok(self.lock().used(key))
    }

    async fn read(&self, id: ExecutionId, after: Seq, limit: usize) -> Result<Vec<Entry>> {
        let state = self.lock();
        let journal = state.journals.get(&id).map_or(&[][..], Vec::as_slice);
        let start = usize::try_from(after.0).unwrap_or(usize::MAX).min(journal.len());
        Ok(journal[start..].iter().take(limit).cloned().collect())
    }

    async fn journals(&self, after: Option<ExecutionId>, limit: usize) -> Result<Vec<ExecutionId>> {
        let mut ids: Vec<_> =
            self.lock().journals.keys().copied().filter(|id| after.is_none_or(|after| *id > after)).collect();
        ids.sort_unstable();
        ids.truncate(limit);
        Ok(ids)
    }

    async fn execution_secrets(&self, id: ExecutionId) -> Result<Option<Vec<u8>>> {
        Ok(self.lock().secrets.get(&id).cloned())
    }
}

impl State {
    fn used(&self, key: &IdempotencyKey) -> Option<Appended> {
        let used = self.idempotency.get(&(key.scope.clone(), key.key.clone()))?;
        let same_request = used.request_hash == key.request_hash;
        Some(Appended::Existing { execution_id: used.execution_id, same_request })
    }

    fn append(&mut self, append: Append) -> Result<Appended> {
        let execution_id = append.execution_id;
        if let Some(existing) = append.idempotency.as_ref().and_then(|key| self.used(key)) {
            return Ok(existing);
        }
        let (fence, next) = self
            .executions
            .get(&execution_id)
            .map_or((append.fence, Seq::default().next()), |record| (record.fence, record.last_seq.next()));
        if fence > append.fence {
            return Err(Error::Fenced { execution_id });
        }
        if next != append.expected() || (append.entries.is_empty() && !self.executions.contains_key(&execution_id)) {
            return Err(Error::Conflict { execution_id, expected: append.expected(), actual: next });
        }
        let Append { fence, entries, mut record, idempotency, secrets, deliveries, .. } = append;
        record.fence = fence;
        if let Some(before) = self.executions.get(&execution_id) {
            (record.owner, record.lease_until) = (before.owner.clone(), before.lease_until);
        }
        match (record.status.is_final(), secrets) {
            (true, _) => drop(self.secrets.remove(&execution_id)),
            (false, Some(sealed)) => drop(self.secrets.insert(execution_id, sealed)),
            (false, None) => {}
        }
        self.executions.insert(execution_id, record);
        self.journals.entry(execution_id).or_default().extend(entries);
        for what in deliveries {
            let progress = DeliveryProgress::new(what.created_at);
            self.deliveries.insert(what.id, DeliveryRecord { execution_id, what, progress });
        }
        if let Some(key) = idempotency {
            self.idempotency.insert((key.scope, key.key), UsedKey { execution_id, request_hash: key.request_hash });
        }
        Ok(Appended::New)
    }
}

//! Calls of webhooks in memory.

use super::MemoryStore;
use crate::{Deliveries, DeliveryProgress, DeliveryRecord, Result};
use async_trait::async_trait;
use pulse_core::ids::{DeliveryId, ExecutionId};

#[async_trait]
impl Deliveries for MemoryStore {
    async fn deliveries(
        &self,
        id: ExecutionId,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<DeliveryRecord>> {
        let state = self.lock();
        let of_this = state.deliveries.values().filter(|record| record.execution_id == id);
        Ok(of_this.filter(|record| after.is_none_or(|after| record.what.id > after)).take(limit).cloned().collect())
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>> {
        Ok(self.lock().deliveries.get(&id).cloned())
    }

    async fn next_deliveries(&self, busy: &[String], limit: usize) -> Result<Vec<DeliveryRecord>> {
        let state = self.lock();
        let pending = state.deliveries.values().filter(|record| record.progress.next_try_at.is_some());
        let mut next: Vec<_> = pending.filter(|record| !busy.contains(&record.what.host)).cloned().collect();
        next.sort_by_key(|record| (record.progress.next_try_at, record.what.id));
        next.truncate(limit);
        Ok(next)
    }

    async fn move_delivery(&self, id: DeliveryId, attempts: u32, progress: DeliveryProgress) -> Result<bool> {
        let mut state = self.lock_to_write()?;
        match state.deliveries.get_mut(&id).filter(|record| record.progress.attempts == attempts) {
            Some(record) => {
                record.progress = progress.storable();
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

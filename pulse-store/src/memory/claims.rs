//! Ownership in memory. Several servers cannot share it; it keeps the rules all the same.

use super::MemoryStore;
use crate::{Claim, Claims, ExecutionRecord, Result};
use async_trait::async_trait;
use pulse_core::ids::ExecutionId;
use pulse_core::time::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Takes an execution for an owner.
fn take(record: &mut ExecutionRecord, owner: &str, lease: Duration) -> Claim {
    let lease_until = now().plus(lease);
    record.owner = Some(owner.to_owned());
    record.lease_until = Some(lease_until);
    record.fence += 1;
    Claim { execution_id: record.id, fence: record.fence, lease_until }
}

#[async_trait]
impl Claims for MemoryStore {
    async fn database_time(&self) -> Result<Timestamp> {
        Ok(now())
    }

    async fn claim(&self, id: ExecutionId, owner: &str, lease: Duration) -> Result<Option<Claim>> {
        let mut state = self.lock_to_write()?;
        let free = |record: &&mut ExecutionRecord| {
            !record.status.is_final()
                && (record.owner.is_none() || record.lease_until.is_none_or(|until| until <= now()))
        };
        Ok(state.executions.get_mut(&id).filter(free).map(|record| take(record, owner, lease)))
    }

    async fn claim_abandoned(&self, owner: &str, lease: Duration, limit: usize) -> Result<Vec<Claim>> {
        let mut state = self.lock_to_write()?;
        let mut ended: Vec<_> = state
            .executions
            .values_mut()
            .filter(|record| !record.status.is_final() && record.owner.is_some())
            .filter(|record| record.lease_until.is_some_and(|until| until <= now()))
            .collect();
        ended.sort_by_key(|record| (record.lease_until, record.id));
        Ok(ended.into_iter().take(limit).map(|record| take(record, owner, lease)).collect())
    }

    async fn renew(&self, ids: &[ExecutionId], owner: &str, lease: Duration) -> Result<Vec<ExecutionId>> {
        let mut state = self.lock_to_write()?;
        let mut held = Vec::new();
        for id in ids {
            if let Some(record) = state.executions.get_mut(id).filter(|record| record.owner.as_deref() == Some(owner)) {
                record.lease_until = Some(now().plus(lease));
                held.push(*id);
            }
        }
        Ok(held)
    }

    async fn release(&self, id: ExecutionId, owner: &str) -> Result<bool> {
        let mut state = self.lock_to_write()?;
        let held = state.executions.get_mut(&id).filter(|record| record.owner.as_deref() == Some(owner));
        Ok(held.map(|record| (record.owner, record.lease_until) = (None, None)).is_some())
    }
}

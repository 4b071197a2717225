//! Journals in a database.

use super::entity::{deletion, event, idempotency, secrets, stored};
use super::{SqlStore, limit};
use crate::{Append, Appended, IdempotencyKey, Journal, Result};
use async_trait::async_trait;
use pulse_core::event::Entry;
use pulse_core::ids::{ExecutionId, Seq};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

#[async_trait]
impl Journal for SqlStore {
    async fn append(&self, append: Append) -> Result<Appended> {
        self.writer.append(append).await
    }

    async fn used(&self, key: &IdempotencyKey) -> Result<Option<Appended>> {
        let row = idempotency::Entity::find_by_id(idempotency::digest(key)).one(&self.reads).await;
        self.record(row, |row| {
            let same_request = row.request_hash == key.request_hash;
            Ok(Appended::Existing { execution_id: ExecutionId(row.execution_id), same_request })
        })
    }

    async fn read(&self, id: ExecutionId, after: Seq, max: usize) -> Result<Vec<Entry>> {
        let rows = event::Entity::find()
            .filter(event::Column::ExecutionId.eq(id.0))
            .filter(event::Column::Seq.gt(stored(after.0)))
            .order_by_asc(event::Column::Seq)
            .limit(limit(max))
            .all(&self.reads)
            .await;
        self.records(rows, event::Model::entry)
    }

    async fn journals(&self, after: Option<ExecutionId>, max: usize) -> Result<Vec<ExecutionId>> {
        let deleted = Query::select().column(deletion::Column::ExecutionId).from(deletion::Entity).take();
        let ids: Result<Vec<Uuid>, _> = event::Entity::find()
            .select_only()
            .column(event::Column::ExecutionId)
            .distinct()
            .apply_if(after, |query, after| query.filter(event::Column::ExecutionId.gt(after.0)))
            .filter(event::Column::ExecutionId.not_in_subquery(deleted))
            .order_by_asc(event::Column::ExecutionId)
            .limit(limit(max))
            .into_tuple()
            .all(&self.reads)
            .await;
        self.records(ids, |id| Ok(ExecutionId(id)))
    }

    async fn execution_secrets(&self, id: ExecutionId) -> Result<Option<Vec<u8>>> {
        self.record(secrets::Entity::find_by_id(id.0).one(&self.reads).await, |row| Ok(row.sealed))
    }
}

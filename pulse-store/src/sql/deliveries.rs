//! Calls of webhooks in a database. New ones are written by the appends.

use super::entity::delivery::{Column, Entity, Model};
use super::write::{Change, Stop};
use super::{SqlStore, limit};
use crate::{Deliveries, DeliveryProgress, DeliveryRecord, Result};
use async_trait::async_trait;
use pulse_core::ids::{DeliveryId, ExecutionId};
use pulse_core::time::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

#[async_trait]
impl Deliveries for SqlStore {
    async fn deliveries(&self, id: ExecutionId, after: Option<DeliveryId>, max: usize) -> Result<Vec<DeliveryRecord>> {
        let of_this =
            Condition::all().add(Column::ExecutionId.eq(id.0)).add_option(after.map(|after| Column::Id.gt(after.0)));
        let select = Entity::find().filter(of_this).order_by_asc(Column::Id).limit(limit(max));
        self.records(select.all(&self.reads).await, Model::record)
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>> {
        self.record(Entity::find_by_id(id.0).one(&self.reads).await, Model::record)
    }

    async fn next_deliveries(&self, busy: &[String], max: usize) -> Result<Vec<DeliveryRecord>> {
        let mut pending = Condition::all().add(Column::NextTryAt.is_not_null());
        if !busy.is_empty() {
            pending = pending.add(Column::Host.is_not_in(busy.iter().map(String::as_str)));
        }
        let by_time = Entity::find().filter(pending).order_by_asc(Column::NextTryAt).order_by_asc(Column::Id);
        self.records(by_time.limit(limit(max)).all(&self.reads).await, Model::record)
    }

    async fn move_delivery(&self, id: DeliveryId, attempts: u32, progress: DeliveryProgress) -> Result<bool> {
        self.writer.change(MoveDelivery { id, attempts, progress: progress.storable() }).await
    }
}

struct MoveDelivery {
    id: DeliveryId,
    attempts: u32,
    progress: DeliveryProgress,
}

#[async_trait]
impl Change for MoveDelivery {
    type Answer = bool;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<bool, Stop> {
        let Self { id, attempts, progress } = self;
        let moved = Entity::update_many()
            .col_expr(Column::Attempts, Expr::value(i64::from(progress.attempts)))
            .col_expr(Column::Status, Expr::value(progress.status.as_str()))
            .col_expr(Column::NextTryAt, Expr::value(progress.next_try_at.map(Timestamp::as_millis)))
            .col_expr(Column::AnswerStatus, Expr::value(progress.answer_status.map(i64::from)))
            .col_expr(Column::Answer, Expr::value(progress.answer.clone()))
            .col_expr(Column::Error, Expr::value(progress.error.clone()))
            .filter(Column::Id.eq(id.0))
            .filter(Column::Attempts.eq(i64::from(*attempts)))
            .exec(db)
            .await?;
        Ok(moved.rows_affected > 0)
    }
}

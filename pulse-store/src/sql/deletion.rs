//! Deleting executions. The summary goes first, with the calls of webhooks and the
//! idempotency keys, and the execution is gone; journal and output
//! follow in pieces, each a small job among others in the writer's queue, so that no append waits for long. What a stop
//! leaves over is finished after the next start.

use super::SqlStore;
use super::entity::{deletion, delivery, event, execution, idempotency, output, secrets, text};
use super::write::{Change, Stop, Writer};
use crate::{Error, ExecutionRecord, Result};
use async_trait::async_trait;
use pulse_core::ids::ExecutionId;
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::sync::Arc;

/// How much a job deletes at most: about 4 MiB of output, or a few milliseconds.
const OUTPUT_PIECES: u64 = 64;
const EVENTS: u64 = 512;

pub(super) async fn delete(store: &SqlStore, id: ExecutionId) -> Result<bool> {
    let existed = store.writer.change(DeleteExecution(id)).await?;
    if existed {
        // In its own task: that the caller goes away must not leave half of it until the next start.
        let rest = tokio::spawn(delete_rest(store.writer.clone(), id));
        rest.await.unwrap_or_else(|error| Err(Error::Failed { detail: error.to_string() }))?;
    }
    Ok(existed)
}

/// Goes on with the deletions that an earlier run did not finish.
pub(super) async fn resume(store: &SqlStore) -> Result<()> {
    let left = deletion::Entity::find().all(&store.reads).await.map_err(|error| store.unreadable(&error))?;
    if left.is_empty() {
        return Ok(());
    }
    let writer = store.writer.clone();
    tokio::spawn(async move {
        for deletion::Model { execution_id } in left {
            if let Err(error) = delete_rest(writer.clone(), ExecutionId(execution_id)).await {
                tracing::warn!(%execution_id, %error, "the rest of a deleted execution stays until the next start");
                return;
            }
        }
    });
    Ok(())
}

async fn delete_rest(writer: Arc<Writer>, id: ExecutionId) -> Result<()> {
    while writer.change(DeletePiece(id)).await? {}
    Ok(())
}

/// Deletes the summary, the calls of webhooks and the idempotency keys, and notes that the rest has to go.
struct DeleteExecution(ExecutionId);

#[async_trait]
impl Change for DeleteExecution {
    type Answer = bool;
    const FORGETS: bool = true;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<bool, Stop> {
        let Self(id) = *self;
        let Some(row) = execution::Entity::find_by_id(id.0).lock_exclusive().one(db).await? else { return Ok(false) };
        let record = row.record()?;
        if !record.status.is_final() {
            return Err(Stop::Refused(Error::NotEnded { execution_id: id }));
        }
        execution::Entity::delete_by_id(id.0).exec(db).await?;
        // Gone since its end; this is for one that another program ended.
        secrets::Entity::delete_by_id(id.0).exec(db).await?;
        delete_unused_texts(db, &record).await?;
        delivery::Entity::delete_many().filter(delivery::Column::ExecutionId.eq(id.0)).exec(db).await?;
        let of_this = idempotency::Column::ExecutionId.eq(id.0);
        idempotency::Entity::delete_many().filter(of_this).exec(db).await?;
        let mark = deletion::Model { execution_id: id.0 }.into_active_model();
        deletion::Entity::insert(mark.reset_all()).exec_without_returning(db).await?;
        Ok(true)
    }
}

/// Deletes the texts that only this execution was found by: the last one, and the one from before it had an error.
pub(super) async fn delete_unused_texts(db: &DatabaseTransaction, record: &ExecutionRecord) -> Result<(), DbErr> {
    let before = ExecutionRecord { error: None, ..record.clone() };
    for key in [text::Model::of(record).key, text::Model::of(&before).key] {
        // Who is about to use it has locked it, on a database that is shared, and is waited for.
        if text::Entity::find_by_id(key).lock_exclusive().one(db).await?.is_none() {
            continue;
        }
        let of_key = execution::Column::TextKey.eq(key);
        let used = execution::Entity::find().select_only().column(execution::Column::Id).filter(of_key).limit(1);
        if used.into_tuple::<Uuid>().one(db).await?.is_none() {
            text::Entity::delete_by_id(key).exec(db).await?;
        }
    }
    Ok(())
}

/// Deletes a piece of what a deleted execution left, and says whether there may be more.
struct DeletePiece(ExecutionId);

#[async_trait]
impl Change for DeletePiece {
    type Answer = bool;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<bool, Stop> {
        let Self(id) = *self;
        Ok(delete_output(db, id).await? || delete_events(db, id).await? || delete_mark(db, id).await?)
    }
}

/// Deletes the first rows of an execution in some order, and answers whether there were any.
async fn delete_first<E: EntityTrait>(
    db: &DatabaseTransaction,
    of_this: Expr,
    order: E::Column,
    most: u64,
) -> Result<bool, DbErr> {
    let end: Option<i64> = E::find()
        .select_only()
        .column(order)
        .filter(of_this.clone())
        .order_by_asc(order)
        .offset(most)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    let all = E::delete_many().filter(of_this);
    let piece = match end {
        Some(end) => all.filter(order.lt(end)),
        None => all,
    };
    Ok(piece.exec(db).await?.rows_affected > 0)
}

async fn delete_output(db: &DatabaseTransaction, id: ExecutionId) -> Result<bool, DbErr> {
    use output::{Column, Entity};
    delete_first::<Entity>(db, Column::ExecutionId.eq(id.0), Column::Cursor, OUTPUT_PIECES).await
}

async fn delete_events(db: &DatabaseTransaction, id: ExecutionId) -> Result<bool, DbErr> {
    use event::{Column, Entity};
    delete_first::<Entity>(db, Column::ExecutionId.eq(id.0), Column::Seq, EVENTS).await
}

/// The last piece.
async fn delete_mark(db: &DatabaseTransaction, id: ExecutionId) -> Result<bool, DbErr> {
    deletion::Entity::delete_by_id(id.0).exec(db).await?;
    Ok(false)
}

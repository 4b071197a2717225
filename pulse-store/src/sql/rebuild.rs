//! Writing a summary anew from a journal, where an append would not: in place of one that is wrong, or of none.

use super::SqlStore;
use super::deletion::delete_unused_texts;
use super::entity::{deletion, event, execution, secrets, text};
use super::write::{Change, Stop};
use crate::{Error, ExecutionRecord, Result};
use async_trait::async_trait;
use pulse_core::ids::Seq;
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};

pub(super) async fn replace_summary(store: &SqlStore, record: ExecutionRecord) -> Result<()> {
    store.writer.change(ReplaceSummary(record.storable())).await
}

struct ReplaceSummary(ExecutionRecord);

#[async_trait]
impl Change for ReplaceSummary {
    type Answer = ();
    const FORGETS: bool = true;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<(), Stop> {
        let mut record = self.0.clone();
        let id = record.id.0;
        let (expected, actual) = (record.last_seq.next(), journal_end(db, &record).await?.next());
        if expected != actual {
            return Err(Stop::Refused(Error::Conflict { execution_id: record.id, expected, actual }));
        }
        let before = execution::Entity::find_by_id(id).lock_exclusive().one(db).await?;
        execution::Entity::delete_by_id(id).exec(db).await?;
        if let Some(before) = before {
            (record.owner, record.fence) = (before.owner.clone(), before.fence);
            record.lease_until = before.lease_until.map(pulse_core::time::Timestamp::from_millis);
            // One that cannot be read is replaced all the same; then a text may be left over, which harms nothing.
            if let Ok(before) = before.record() {
                delete_unused_texts(db, &before).await?;
            }
        }
        let text = text::Model::of(&record);
        if text::Entity::find_by_id(text.key).one(db).await?.is_none() {
            text::Entity::insert(text.clone().into_active_model().reset_all()).exec_without_returning(db).await?;
        }
        let values = execution::values(&record, record.fence, text.key);
        let mut insert = Query::insert().into_table(execution::Entity).columns(execution::COLUMNS).take();
        insert.values_panic(values.map(Into::into));
        db.execute(&insert).await?;
        if record.status.is_final() {
            secrets::Entity::delete_by_id(id).exec(db).await?;
        }
        Ok(())
    }
}

/// The last number of an execution's journal, if it has one and has not been deleted.
async fn journal_end(db: &DatabaseTransaction, record: &ExecutionRecord) -> Result<Seq, Stop> {
    let id = record.id.0;
    let none = || Stop::Refused(Error::NotFound { what: "journal of execution", id: record.id.to_string() });
    if deletion::Entity::find_by_id(id).one(db).await?.is_some() {
        return Err(none());
    }
    let last: Option<i64> = event::Entity::find()
        .select_only()
        .column(event::Column::Seq)
        .filter(event::Column::ExecutionId.eq(id))
        .order_by_desc(event::Column::Seq)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    let last = last.ok_or_else(none)?;
    Ok(Seq(u64::try_from(last).map_err(|_| DbErr::Type(format!("a seq is {last}")))?))
}

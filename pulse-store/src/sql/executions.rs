//! Summaries in a database.

use super::entity::execution::{self, Column, Entity, Model};
use super::{SqlStore, deletion, limit};
use crate::text::{fold, prefix_range};
use crate::{ExecutionFilter, ExecutionRecord, Executions, Result};
use async_trait::async_trait;
use pulse_core::ids::ExecutionId;
use pulse_core::status::ExecutionStatus;
use pulse_core::time::Timestamp;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, Order, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};
use std::time::Duration;

#[async_trait]
impl Executions for SqlStore {
    async fn execution(&self, id: ExecutionId) -> Result<Option<ExecutionRecord>> {
        self.record(Entity::find_by_id(id.0).one(&self.reads).await, Model::record)
    }

    async fn executions(
        &self,
        filter: &ExecutionFilter,
        before: Option<ExecutionId>,
        max: usize,
    ) -> Result<Vec<ExecutionRecord>> {
        let mut conditions = conditions(filter);
        if let Some(before) = before {
            conditions = conditions.add(Column::Id.lt(before.0));
        }
        self.list(&conditions, listed_states(filter), Order::Desc, max).await
    }

    async fn executions_by_prefix(&self, hex_prefix: &str, max: usize) -> Result<Vec<ExecutionId>> {
        let Some((low, high)) = prefix_range(hex_prefix) else { return Ok(Vec::new()) };
        let ids: Result<Vec<Uuid>, _> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Id.between(low, high))
            .order_by_desc(Column::Id)
            .limit(limit(max))
            .into_tuple()
            .all(&self.reads)
            .await;
        self.records(ids, |id| Ok(ExecutionId(id)))
    }

    async fn unfinished(&self, after: Option<ExecutionId>, max: usize) -> Result<Vec<ExecutionRecord>> {
        let conditions = after.map_or(Condition::all(), |after| Condition::all().add(Column::Id.gt(after.0)));
        self.list(&conditions, unfinished_states(), Order::Asc, max).await
    }

    async fn due(&self, until: Timestamp, max: usize) -> Result<Vec<(ExecutionId, Timestamp)>> {
        let rows: Result<Vec<(Uuid, i64)>, _> = Entity::find()
            .select_only()
            .columns([Column::Id, Column::WakeAt])
            .filter(Column::WakeAt.lte(until.as_millis()))
            // An ended execution has no reason to keep a time, and one that does costs this filter only.
            .filter(Column::Status.is_in(unfinished_states().into_iter().map(ExecutionStatus::as_str)))
            .order_by_asc(Column::WakeAt)
            .order_by_asc(Column::Id)
            .limit(limit(max))
            .into_tuple()
            .all(&self.reads)
            .await;
        self.records(rows, |(id, at)| Ok((ExecutionId(id), Timestamp::from_millis(at))))
    }

    async fn delete_execution(&self, id: ExecutionId) -> Result<bool> {
        deletion::delete(self, id).await
    }
}

impl SqlStore {
    /// Lists by id. With states, the list is put together from one per state: each of those is a stretch of an index that
    /// is in the right order already, where `status IN (…)` would have to sort all that match.
    async fn list(
        &self,
        conditions: &Condition,
        states: Vec<ExecutionStatus>,
        order: Order,
        max: usize,
    ) -> Result<Vec<ExecutionRecord>> {
        let one = |state: Option<&ExecutionStatus>| {
            let conditions = match state {
                Some(state) => conditions.clone().add(Column::Status.eq(state.as_str())),
                None => conditions.clone(),
            };
            select_rows()
                .from(Entity)
                .cond_where(conditions)
                .order_by(Column::Id, order.clone())
                .limit(limit(max))
                .take()
        };
        let mut lists = states.iter().map(|state| select_rows().from_subquery(one(Some(state)), "part").take());
        let query = match lists.next() {
            None => one(None),
            Some(mut first) => {
                lists.for_each(|list| {
                    first.union(UnionType::All, list);
                });
                first.order_by(Column::Id, order).limit(limit(max)).take()
            }
        };
        let rows = self.reads.query_all(&query).await;
        let rows = rows.and_then(|rows| rows.iter().map(|row| Model::from_query_result(row, "")).collect());
        self.records::<Model, _>(rows, Model::record)
    }
}

fn select_rows() -> SelectStatement {
    Query::select().columns(execution::COLUMNS).take()
}

fn unfinished_states() -> Vec<ExecutionStatus> {
    ExecutionStatus::ALL.iter().copied().filter(|status| !status.is_final()).collect()
}

/// The states to list one by one; none when a single list without a look at the state is better.
fn listed_states(filter: &ExecutionFilter) -> Vec<ExecutionStatus> {
    let wanted = |status: &&ExecutionStatus| filter.status.is_empty() || filter.status.contains(status);
    let states: Vec<_> = ExecutionStatus::ALL.iter().filter(wanted).copied().collect();
    // A workflow's index goes by state before it goes by id.
    match states.len() == ExecutionStatus::ALL.len() && filter.workflow.is_none() {
        true => Vec::new(),
        false => states,
    }
}

/// Everything of a filter but the states.
fn conditions(filter: &ExecutionFilter) -> Condition {
    Condition::all()
        .add_option(filter.workflow.as_deref().map(|name| Column::WorkflowKey.eq(execution::workflow_key(name))))
        .add_option(filter.started_by.as_deref().map(|by| Column::StartedBy.eq(by)))
        .add_option(filter.text.as_deref().map(|text| Expr::col(Column::Search).like(contains(text))))
        .add_option(filter.since.map(|since| Column::CreatedAt.gte(since.as_millis())))
        .add_option(filter.until.map(|until| Column::CreatedAt.lte(until.as_millis())))
        .add_option(filter.since.map(|since| Column::Id.gte(first_id_at(since.as_millis() - SLACK_MS))))
        .add_option(filter.until.map(|until| Column::Id.lt(first_id_at(until.as_millis() + SLACK_MS + 1))))
}

/// How far the time in an id may be from when its execution was created. Ids are what lists are sorted by, so a range of
/// time is searched as a range of ids.
const SLACK_MS: i64 = Duration::from_secs(60).as_millis() as i64;

/// The smallest UUIDv7 of a millisecond.
fn first_id_at(millis: i64) -> Uuid {
    let millis = u128::from(u64::try_from(millis).unwrap_or(0)).min((1 << 48) - 1);
    Uuid::from_u128(millis << 80)
}

/// The pattern for a text that is contained, ignoring case, in what has been folded.
pub(super) fn contains(text: &str) -> LikeExpr {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in fold(text).chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape('!')
}

/// Whether an execution is there, and has ended: for deleting it.
pub(super) async fn stored_status(db: &impl ConnectionTrait, id: ExecutionId) -> Result<Option<String>, DbErr> {
    Entity::find_by_id(id.0).select_only().column(Column::Status).into_tuple().one(db).await
}

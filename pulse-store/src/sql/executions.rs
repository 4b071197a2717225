//! Summaries in a database.

use super::entity::execution::{self, Column, Entity, Model};
use super::{SqlStore, deletion, limit, rebuild};
use crate::text::{name, prefix_range};
use crate::{ExecutionFilter, ExecutionRecord, Executions, Result};
use async_trait::async_trait;
use pulse_core::ids::ExecutionId;
use pulse_core::status::ExecutionStatus;
use pulse_core::time::Timestamp;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
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
        match filter.text.as_deref() {
            None | Some("") => self.list(by_state(&conditions, filter), Order::Desc, max).await,
            Some(text) => self.search(text, conditions, filter, max).await,
        }
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
        self.list(in_states(&conditions, &unfinished_states()), Order::Asc, max).await
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

    async fn finished_before(&self, until: Timestamp, max: usize) -> Result<Vec<ExecutionId>> {
        // What ended before a time was created before it: the newer ones are not looked at, and of the older ones nearly
        // all are wanted. So this needs no index of its own.
        let millis = until.as_millis();
        let conditions = Condition::all()
            .add(Column::FinishedAt.lt(millis))
            .add(Column::Id.lt(first_id_at(millis.saturating_add(SLACK_MS + 1))));
        let parts = in_states(&conditions, &ended_states());
        let rows = self.reads.query_all(&select(&[Column::Id], parts, Order::Asc, max)).await;
        let ids: Result<Vec<Uuid>, _> =
            rows.and_then(|rows| rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>());
        self.records(ids, |id| Ok(ExecutionId(id)))
    }

    async fn replace_summary(&self, record: ExecutionRecord) -> Result<()> {
        rebuild::replace_summary(self, record).await
    }

    async fn delete_execution(&self, id: ExecutionId) -> Result<bool> {
        deletion::delete(self, id).await
    }
}

impl SqlStore {
    /// Lists by id what meets any of several conditions that exclude each other.
    pub(super) async fn list(&self, parts: Vec<Condition>, order: Order, max: usize) -> Result<Vec<ExecutionRecord>> {
        let rows = self.reads.query_all(&select(&execution::COLUMNS, parts, order, max)).await;
        let rows = rows.and_then(|rows| rows.iter().map(|row| Model::from_query_result(row, "")).collect());
        self.records::<Model, _>(rows, Model::record)
    }
}

/// One select for each part, put together: each is a stretch of an index that is in the right order already, and ends
/// after `max` rows, where `OR` or `IN` would have to sort all that match.
pub(super) fn select(columns: &[Column], parts: Vec<Condition>, order: Order, max: usize) -> SelectStatement {
    let of = |conditions| {
        let mut select = Query::select().columns(columns.iter().copied()).from(Entity).cond_where(conditions).take();
        select.order_by(Column::Id, order.clone()).limit(limit(max)).take()
    };
    let part = |select| Query::select().columns(columns.iter().copied()).from_subquery(select, "part").take();
    let mut selects = parts.into_iter().map(of);
    let first = selects.next().unwrap_or_else(|| of(Condition::all().add(Expr::val(1).eq(0))));
    let mut selects = selects.peekable();
    if selects.peek().is_none() {
        return first;
    }
    let mut all = part(first);
    for select in selects {
        all.union(UnionType::All, part(select));
    }
    all.order_by(Column::Id, order).limit(limit(max)).take()
}

pub(super) fn unfinished_states() -> Vec<ExecutionStatus> {
    ExecutionStatus::ALL.iter().copied().filter(|status| !status.is_final()).collect()
}

fn ended_states() -> Vec<ExecutionStatus> {
    ExecutionStatus::ALL.iter().copied().filter(|status| status.is_final()).collect()
}

fn wanted_states(filter: &ExecutionFilter) -> Vec<ExecutionStatus> {
    let wanted = |status: &&ExecutionStatus| filter.status.is_empty() || filter.status.contains(status);
    ExecutionStatus::ALL.iter().filter(wanted).copied().collect()
}

fn in_states(conditions: &Condition, states: &[ExecutionStatus]) -> Vec<Condition> {
    states.iter().map(|state| conditions.clone().add(Column::Status.eq(state.as_str()))).collect()
}

/// The parts of a list by state, or one part where all states are wanted and no index goes by state before it goes by id.
pub(super) fn by_state(conditions: &Condition, filter: &ExecutionFilter) -> Vec<Condition> {
    let states = wanted_states(filter);
    match states.len() == ExecutionStatus::ALL.len() && filter.workflow.is_none() && filter.started_by.is_none() {
        true => vec![conditions.clone()],
        false => in_states(conditions, &states),
    }
}

/// The state as one condition among others.
pub(super) fn with_states(conditions: Condition, filter: &ExecutionFilter) -> Condition {
    match filter.status.is_empty() {
        true => conditions,
        false => conditions.add(Column::Status.is_in(filter.status.iter().map(|status| status.as_str()))),
    }
}

/// Everything of a filter but states and text.
fn conditions(filter: &ExecutionFilter) -> Condition {
    Condition::all()
        .add_option(filter.workflow.as_deref().map(|name| Column::WorkflowKey.eq(execution::workflow_key(name))))
        .add_option(filter.started_by.as_deref().map(|by| Column::StartedBy.eq(name(by).as_ref())))
        .add_option(filter.since.map(|since| Column::CreatedAt.gte(since.as_millis())))
        .add_option(filter.until.map(|until| Column::CreatedAt.lte(until.as_millis())))
        .add_option(filter.since.map(|since| Column::Id.gte(first_id_at(since.as_millis().saturating_sub(SLACK_MS)))))
        .add_option(
            filter.until.map(|until| Column::Id.lt(first_id_at(until.as_millis().saturating_add(SLACK_MS + 1)))),
        )
}

/// How far the time in an id may be from when its execution was created. Ids are what lists are sorted by, so a range of
/// time is searched as a range of ids.
const SLACK_MS: i64 = Duration::from_secs(60).as_millis() as i64;

/// The smallest UUIDv7 of a millisecond.
fn first_id_at(millis: i64) -> Uuid {
    let millis = u128::from(u64::try_from(millis).unwrap_or(0)).min((1 << 48) - 1);
    Uuid::from_u128(millis << 80)
}

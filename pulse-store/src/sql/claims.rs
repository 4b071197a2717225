//! Ownership in a database: one conditional update decides, and its row lock orders it against appends.

use super::SqlStore;
use super::clock;
use super::entity::execution::{Column, Entity};
use super::executions::unfinished_states;
use super::write::{Change, Stop};
use crate::{Claim, Claims, Result};
use async_trait::async_trait;
use pulse_core::ids::ExecutionId;
use pulse_core::status::ExecutionStatus;
use pulse_core::time::Timestamp;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, UpdateMany,
};
use std::collections::HashMap;
use std::time::Duration;

/// How many executions one statement takes or renews.
const AT_ONCE: usize = 500;

#[async_trait]
impl Claims for SqlStore {
    async fn database_time(&self) -> Result<Timestamp> {
        let select = Query::select().expr(clock::now(self.reads.get_database_backend())).take();
        let row = self.reads.query_one(&select).await;
        let time = row.and_then(|row| row.map(|row| row.try_get_by_index(0)).transpose());
        Ok(Timestamp::from_millis(time.map_err(|error| self.unreadable(&error))?.unwrap_or_default()))
    }

    async fn claim(&self, id: ExecutionId, owner: &str, lease: Duration) -> Result<Option<Claim>> {
        let claim = ClaimOne { id, by: Owner::new(owner, lease) };
        self.writer.change(claim).await
    }

    async fn claim_abandoned(&self, owner: &str, lease: Duration, limit: usize) -> Result<Vec<Claim>> {
        let mut claims = Vec::new();
        while claims.len() < limit {
            let some = AT_ONCE.min(limit - claims.len());
            let claimed = self.writer.change(ClaimAbandoned { limit: some, by: Owner::new(owner, lease) }).await?;
            let seen = claimed.candidates;
            claims.extend(claimed.claims);
            if seen < some {
                break;
            }
        }
        Ok(claims)
    }

    async fn renew(&self, ids: &[ExecutionId], owner: &str, lease: Duration) -> Result<Vec<ExecutionId>> {
        let mut held = Vec::with_capacity(ids.len());
        for ids in ids.chunks(AT_ONCE) {
            let ids = ids.iter().map(|id| id.0).collect();
            held.extend(self.writer.change(Renew { ids, by: Owner::new(owner, lease) }).await?);
        }
        Ok(held)
    }

    async fn release(&self, id: ExecutionId, owner: &str) -> Result<bool> {
        self.writer.change(Release { id, owner: owner.to_owned() }).await
    }
}

/// Who, and for how long.
struct Owner {
    name: String,
    lease_ms: i64,
}

impl Owner {
    fn new(name: &str, lease: Duration) -> Self {
        Self { name: name.to_owned(), lease_ms: i64::try_from(lease.as_millis()).unwrap_or(i64::MAX / 4) }
    }

    /// An update that lets the lease begin now.
    fn lease(&self, db: &DatabaseTransaction) -> UpdateMany<Entity> {
        let until = clock::now(db.get_database_backend()).add(self.lease_ms);
        Entity::update_many().col_expr(Column::LeaseUntil, until)
    }

    /// An update that takes the execution over.
    fn take(&self, db: &DatabaseTransaction) -> UpdateMany<Entity> {
        self.lease(db)
            .col_expr(Column::Owner, Expr::value(self.name.as_str()))
            .col_expr(Column::Fence, Expr::col(Column::Fence).add(1))
            .filter(goes_on())
    }
}

/// That an execution has not ended.
fn goes_on() -> Expr {
    Column::Status.is_in(unfinished_states().into_iter().map(ExecutionStatus::as_str))
}

/// That its lease has ended.
fn abandoned(db: &DatabaseTransaction) -> Expr {
    Expr::col(Column::LeaseUntil).lte(clock::now(db.get_database_backend()))
}

struct ClaimOne {
    id: ExecutionId,
    by: Owner,
}

#[async_trait]
impl Change for ClaimOne {
    type Answer = Option<Claim>;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<Option<Claim>, Stop> {
        let free = Condition::any().add(Column::Owner.is_null()).add(Column::LeaseUntil.is_null()).add(abandoned(db));
        let taken = self.by.take(db).filter(Column::Id.eq(self.id.0)).filter(free).exec(db).await?;
        match taken.rows_affected {
            0 => Ok(None),
            _ => Ok(claims_of(db, &[self.id.0], &self.by).await?.pop()),
        }
    }
}

struct ClaimAbandoned {
    limit: usize,
    by: Owner,
}

struct Claimed {
    claims: Vec<Claim>,
    /// How many there were to claim; others may have taken some of them.
    candidates: usize,
}

#[async_trait]
impl Change for ClaimAbandoned {
    type Answer = Claimed;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<Claimed, Stop> {
        let candidates: Vec<Uuid> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(goes_on())
            .filter(abandoned(db))
            .filter(Column::Owner.is_not_null())
            .order_by_asc(Column::LeaseUntil)
            .order_by_asc(Column::Id)
            .limit(super::limit(self.limit))
            .into_tuple()
            .all(db)
            .await?;
        if candidates.is_empty() {
            return Ok(Claimed { claims: Vec::new(), candidates: 0 });
        }
        let these = Column::Id.is_in(candidates.iter().copied());
        self.by.take(db).filter(these).filter(abandoned(db)).exec(db).await?;
        // Of the candidates, those are this owner's that it has just taken: their leases had ended.
        let claims = claims_of(db, &candidates, &self.by).await?;
        Ok(Claimed { claims, candidates: candidates.len() })
    }
}

/// What of these executions is the owner's, in their order.
async fn claims_of(db: &DatabaseTransaction, ids: &[Uuid], by: &Owner) -> Result<Vec<Claim>, DbErr> {
    let rows: Vec<(Uuid, i64, i64)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::Fence, Column::LeaseUntil])
        .filter(Column::Id.is_in(ids.iter().copied()))
        .filter(Column::Owner.eq(by.name.as_str()))
        .into_tuple()
        .all(db)
        .await?;
    let claim = |(id, fence, until)| {
        (id, Claim { execution_id: ExecutionId(id), fence, lease_until: Timestamp::from_millis(until) })
    };
    let mut claims: HashMap<Uuid, Claim> = rows.into_iter().map(claim).collect();
    Ok(ids.iter().filter_map(|id| claims.remove(id)).collect())
}

struct Renew {
    ids: Vec<Uuid>,
    by: Owner,
}

#[async_trait]
impl Change for Renew {
    type Answer = Vec<ExecutionId>;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<Vec<ExecutionId>, Stop> {
        let these = Column::Id.is_in(self.ids.iter().copied());
        self.by.lease(db).filter(these).filter(Column::Owner.eq(self.by.name.as_str())).exec(db).await?;
        Ok(claims_of(db, &self.ids, &self.by).await?.into_iter().map(|claim| claim.execution_id).collect())
    }
}

struct Release {
    id: ExecutionId,
    owner: String,
}

#[async_trait]
impl Change for Release {
    type Answer = bool;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<bool, Stop> {
        let released = Entity::update_many()
            .col_expr(Column::Owner, Expr::value(Option::<String>::None))
            .col_expr(Column::LeaseUntil, Expr::value(Option::<i64>::None))
            .filter(Column::Id.eq(self.id.0))
            .filter(Column::Owner.eq(self.owner.as_str()))
            .exec(db)
            .await?;
        Ok(released.rows_affected > 0)
    }
}

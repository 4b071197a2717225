//! Workers in a database.

use super::SqlStore;
use super::entity::{to_json, worker};
use super::write::{Change, Stop};
use crate::text::fold;
use crate::{Error, Result, WorkerRecord, Workers};
use async_trait::async_trait;
use pulse_core::ids::WorkerId;
use pulse_core::time::Timestamp;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder,
};
use std::collections::BTreeMap;
use worker::{ActiveModel, Column, Entity, Model};

#[async_trait]
impl Workers for SqlStore {
    async fn save_worker(&self, worker: WorkerRecord) -> Result<()> {
        self.writer.change(Save { worker: Model::new(worker.storable()?)?, is_hello: false }).await
    }

    async fn greet_worker(&self, worker: WorkerRecord) -> Result<()> {
        self.writer.change(Save { worker: Model::new(worker.storable()?)?, is_hello: true }).await
    }

    async fn change_worker(
        &self,
        id: WorkerId,
        labels: Option<BTreeMap<String, String>>,
        draining: Option<bool>,
    ) -> Result<bool> {
        let labels = labels.map(|labels| to_json("a worker's labels", &labels)).transpose()?;
        self.writer.change(Alter { id: id.0, labels, draining }).await
    }

    async fn worker(&self, id: WorkerId) -> Result<Option<WorkerRecord>> {
        self.record(Entity::find_by_id(id.0).one(&self.reads).await, Model::record)
    }

    async fn worker_by_name(&self, name: &str) -> Result<Option<WorkerRecord>> {
        let by_name = Column::NameKey.eq(fold(name).into_bytes());
        self.record(Entity::find().filter(by_name).one(&self.reads).await, Model::record)
    }

    async fn workers(&self) -> Result<Vec<WorkerRecord>> {
        self.records(Entity::find().order_by_asc(Column::NameKey).all(&self.reads).await, Model::record)
    }

    async fn touch_workers(&self, seen: Vec<(WorkerId, Timestamp)>) -> Result<()> {
        // One statement for all that were seen at the same time.
        let mut by_time: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
        for (id, at) in seen {
            by_time.entry(at.as_millis()).or_default().push(id.0);
        }
        for (at, ids) in by_time {
            for ids in ids.chunks(TOUCHED) {
                self.writer.change(Touch { at, ids: ids.to_vec() }).await?;
            }
        }
        Ok(())
    }

    async fn delete_worker(&self, id: WorkerId) -> Result<bool> {
        self.writer.change(Delete(id)).await
    }
}

/// How many workers a statement touches at most.
const TOUCHED: usize = 500;

struct Save {
    worker: Model,
    /// Whether it is what a worker tells, which is not all that is kept of it.
    is_hello: bool,
}

#[async_trait]
impl Change for Save {
    type Answer = ();

    async fn apply(&self, db: &DatabaseTransaction) -> Result<(), Stop> {
        let Self { worker, is_hello } = self;
        let same_name = Column::NameKey.eq(worker.name_key.clone());
        let other = Entity::find().filter(same_name).filter(Column::Id.ne(worker.id)).one(db).await?;
        if other.is_some() {
            return Err(Stop::Refused(Error::NameTaken { name: worker.name.clone() }));
        }
        let known = Entity::find_by_id(worker.id).one(db).await?.is_some();
        let mut row = worker.clone().into_active_model().reset_all();
        match known {
            true => {
                if *is_hello {
                    (row.draining, row.created_at) = (NotSet, NotSet);
                }
                Entity::update_many().set(row).filter(Column::Id.eq(worker.id)).exec(db).await?;
            }
            false => {
                Entity::insert(row).exec_without_returning(db).await?;
            }
        }
        Ok(())
    }
}

struct Alter {
    id: Uuid,
    labels: Option<String>,
    draining: Option<bool>,
}

#[async_trait]
impl Change for Alter {
    type Answer = bool;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<bool, Stop> {
        if Entity::find_by_id(self.id).one(db).await?.is_none() {
            return Ok(false);
        }
        let row = ActiveModel {
            labels: self.labels.clone().map_or(NotSet, Set),
            draining: self.draining.map_or(NotSet, Set),
            ..Default::default()
        };
        if row.is_changed() {
            Entity::update_many().set(row).filter(Column::Id.eq(self.id)).exec(db).await?;
        }
        Ok(true)
    }
}

struct Touch {
    at: i64,
    ids: Vec<Uuid>,
}

#[async_trait]
impl Change for Touch {
    type Answer = ();

    async fn apply(&self, db: &DatabaseTransaction) -> Result<(), Stop> {
        Entity::update_many()
            .col_expr(Column::LastSeen, Expr::value(self.at))
            .filter(Column::Id.is_in(self.ids.iter().copied()))
            .filter(Column::LastSeen.lt(self.at))
            .exec(db)
            .await?;
        Ok(())
    }
}

struct Delete(WorkerId);

#[async_trait]
impl Change for Delete {
    type Answer = bool;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<bool, Stop> {
        Ok(Entity::delete_by_id(self.0.0).exec(db).await?.rows_affected > 0)
    }
}

//! Workflows in a database.

use super::entity::{to_json, workflow, workflow_version};
use super::write::{Change, Stop};
use super::{SqlStore, limit, search};
use crate::text::fold;
use crate::{Error, Result, SaveWorkflow, WorkflowRecord, WorkflowVersion, Workflows};
use async_trait::async_trait;
use pulse_core::ids::WorkflowId;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};

#[async_trait]
impl Workflows for SqlStore {
    async fn save_workflow(&self, save: SaveWorkflow) -> Result<WorkflowRecord> {
        self.writer.change(Save(save.storable()?)).await
    }

    async fn workflow(&self, id: WorkflowId) -> Result<Option<WorkflowRecord>> {
        use workflow::Column;
        let found = workflow::Entity::find_by_id(id.0).filter(Column::NameKey.is_not_null()).one(&self.reads).await;
        self.current(found).await
    }

    async fn workflow_by_name(&self, name: &str) -> Result<Option<WorkflowRecord>> {
        let by_name = workflow::Column::NameKey.eq(name_key(name));
        let found = workflow::Entity::find().filter(by_name).one(&self.reads).await;
        self.current(found).await
    }

    async fn workflow_version(&self, id: WorkflowId, version: u32) -> Result<Option<WorkflowRecord>> {
        let found = workflow::Entity::find_by_id(id.0).one(&self.reads).await;
        match found.map_err(|error| self.unreadable(&error))? {
            Some(workflow) => self.in_version(&workflow, version.into()).await,
            None => Ok(None),
        }
    }

    async fn workflow_versions(&self, id: WorkflowId) -> Result<Vec<WorkflowVersion>> {
        use workflow_version::{Column, Entity, Model};
        let rows: Result<Vec<(i64, String, i64)>, _> = Entity::find()
            .select_only()
            .columns([Column::Version, Column::SavedBy, Column::SavedAt])
            .filter(Column::WorkflowId.eq(id.0))
            .order_by_desc(Column::Version)
            .into_tuple()
            .all(&self.reads)
            .await;
        self.records(rows, |(version, by, at)| Model::summary(id, version, by, at))
    }

    async fn workflows(&self, text: Option<&str>, after: Option<&str>, max: usize) -> Result<Vec<WorkflowRecord>> {
        use workflow::Column;
        let page = workflow::Entity::find()
            .filter(Column::NameKey.is_not_null())
            .apply_if(after, |query, after| query.filter(Column::NameKey.gt(name_key(after))))
            .apply_if(text, |query, text| query.filter(Expr::col(Column::Search).like(search::contains(text))))
            .order_by_asc(Column::NameKey)
            .limit(limit(max))
            .all(&self.reads)
            .await;
        let page = page.map_err(|error| self.unreadable(&error))?;
        let mut records = Vec::with_capacity(page.len());
        for workflow in page {
            records.extend(self.in_version(&workflow, workflow.version).await?);
        }
        Ok(records)
    }

    async fn delete_workflow(&self, id: WorkflowId) -> Result<bool> {
        self.writer.change(Delete(id)).await
    }
}

impl SqlStore {
    async fn current(&self, found: Result<Option<workflow::Model>, DbErr>) -> Result<Option<WorkflowRecord>> {
        match found.map_err(|error| self.unreadable(&error))? {
            Some(workflow) => self.in_version(&workflow, workflow.version).await,
            None => Ok(None),
        }
    }

    /// Versions never change, so that it does not matter that this is a second read.
    async fn in_version(&self, workflow: &workflow::Model, version: i64) -> Result<Option<WorkflowRecord>> {
        let found = workflow_version::Entity::find_by_id((workflow.id, version)).one(&self.reads).await;
        self.record(found, |row| row.record(workflow))
    }
}

fn name_key(name: &str) -> Vec<u8> {
    fold(name).into_bytes()
}

struct Save(SaveWorkflow);

#[async_trait]
impl Change for Save {
    type Answer = WorkflowRecord;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<WorkflowRecord, Stop> {
        let Self(save) = self;
        let before = workflow::Entity::find_by_id(save.id.0).one(db).await?;
        self.check(db, before.as_ref()).await?;
        let workflow = workflow::Model {
            id: save.id.0,
            name_key: Some(name_key(&save.name)),
            version: before.as_ref().map_or(0, |before| before.version) + 1,
            search: search_text(save),
            created_by: before.as_ref().map_or_else(|| save.by.clone(), |before| before.created_by.clone()),
            created_at: before.as_ref().map_or(save.at.as_millis(), |before| before.created_at),
        };
        let version = workflow_version::Model {
            workflow_id: save.id.0,
            version: workflow.version,
            name: save.name.clone(),
            description: save.description.clone(),
            tags: to_json("a workflow's tags", &save.tags)?,
            definition: save.definition.clone(),
            webhook: save.webhook.clone(),
            saved_by: save.by.clone(),
            saved_at: save.at.as_millis(),
        };
        let row = workflow.clone().into_active_model().reset_all();
        match before {
            None => {
                workflow::Entity::insert(row).exec_without_returning(db).await?;
            }
            Some(_) => {
                workflow::Entity::update_many().set(row).filter(workflow::Column::Id.eq(save.id.0)).exec(db).await?;
            }
        }
        let row = version.clone().into_active_model().reset_all();
        workflow_version::Entity::insert(row).exec_without_returning(db).await?;
        Ok(version.record(&workflow)?)
    }
}

impl Save {
    async fn check(&self, db: &DatabaseTransaction, before: Option<&workflow::Model>) -> Result<(), Stop> {
        let Self(save) = self;
        let live = before.filter(|before| before.name_key.is_some());
        let current = live.map_or(0, |live| u32::try_from(live.version).unwrap_or(u32::MAX));
        if save.expected.is_some_and(|expected| expected != current) {
            return Err(Stop::Refused(Error::VersionConflict { current }));
        }
        let owner = workflow::Entity::find().filter(workflow::Column::NameKey.eq(name_key(&save.name))).one(db).await?;
        match owner {
            Some(owner) if owner.id != save.id.0 => Err(Stop::Refused(Error::NameTaken { name: save.name.clone() })),
            _ => Ok(()),
        }
    }
}

fn search_text(save: &SaveWorkflow) -> String {
    let mut text = format!("{}\n{}", save.name, save.description);
    for tag in &save.tags {
        text.push('\n');
        text.push_str(tag);
    }
    fold(&text)
}

struct Delete(WorkflowId);

#[async_trait]
impl Change for Delete {
    type Answer = bool;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<bool, Stop> {
        use workflow::Column;
        let result = workflow::Entity::update_many()
            .col_expr(Column::NameKey, Expr::value(Option::<Vec<u8>>::None))
            .filter(Column::Id.eq(self.0.0))
            .filter(Column::NameKey.is_not_null())
            .exec(db)
            .await?;
        Ok(result.rows_affected > 0)
    }
}

//! `workflow_versions`: what each workflow was in each of its versions.

use super::{Reader, workflow};
use crate::{Result, WorkflowRecord, WorkflowVersion};
use pulse_core::ids::WorkflowId;
use pulse_core::time::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workflow_versions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub workflow_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub description: String,
    #[sea_orm(column_type = "Text")]
    pub tags: String,
    #[sea_orm(column_type = "Text")]
    pub definition: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub webhook: Option<String>,
    pub saved_by: String,
    pub saved_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(in crate::sql) fn record(self, workflow: &workflow::Model) -> Result<WorkflowRecord> {
        let reader = Reader { what: "workflow", id: &self.workflow_id };
        Ok(WorkflowRecord {
            id: WorkflowId(self.workflow_id),
            tags: reader.json("tags", &self.tags)?,
            version: reader.int("version", self.version)?,
            name: self.name,
            description: self.description,
            definition: self.definition,
            webhook: self.webhook,
            created_by: workflow.created_by.clone(),
            created_at: Timestamp::from_millis(workflow.created_at),
            updated_by: self.saved_by,
            updated_at: Timestamp::from_millis(self.saved_at),
        })
    }

    pub(in crate::sql) fn summary(id: WorkflowId, version: i64, by: String, at: i64) -> Result<WorkflowVersion> {
        let version = Reader { what: "workflow", id: &id }.int("version", version)?;
        Ok(WorkflowVersion { version, saved_by: by, saved_at: Timestamp::from_millis(at) })
    }
}

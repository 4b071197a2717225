//! `executions`: the summaries.

use super::{Reader, stored};
use crate::text::fold;
use crate::{ExecutionRecord, Result};
use pulse_core::ids::{ExecutionId, Seq, WorkflowId};
use pulse_core::time::Timestamp;
use sea_orm::Value;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "executions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub workflow_id: Option<Uuid>,
    pub workflow: Option<String>,
    pub workflow_key: Option<Vec<u8>>,
    pub version: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub title: String,
    pub status: String,
    pub started_by: String,
    pub trigger: String,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub error: Option<String>,
    pub waiting_for_input: bool,
    pub wake_at: Option<i64>,
    pub active_commands: i64,
    pub last_seq: i64,
    pub owner: Option<String>,
    pub lease_until: Option<i64>,
    pub fence: i64,
    pub text_key: i64,
}

impl ActiveModelBehavior for ActiveModel {}

/// The columns in the order of [`values`].
pub(in crate::sql) const COLUMNS: [Column; 21] = [
    Column::Id,
    Column::WorkflowId,
    Column::Workflow,
    Column::WorkflowKey,
    Column::Version,
    Column::Title,
    Column::Status,
    Column::StartedBy,
    Column::Trigger,
    Column::CreatedAt,
    Column::StartedAt,
    Column::FinishedAt,
    Column::Error,
    Column::WaitingForInput,
    Column::WakeAt,
    Column::ActiveCommands,
    Column::LastSeq,
    Column::Owner,
    Column::LeaseUntil,
    Column::Fence,
    Column::TextKey,
];

/// A summary as a row's values, under the fence of its append and with what it is found by.
pub(in crate::sql) fn values(record: &ExecutionRecord, fence: i64, text_key: i64) -> [Value; 21] {
    let millis = |time: Option<Timestamp>| time.map(Timestamp::as_millis);
    [
        record.id.0.into(),
        record.workflow_id.map(|id| id.0).into(),
        record.workflow.clone().into(),
        record.workflow.as_deref().map(workflow_key).into(),
        record.version.map(i64::from).into(),
        record.title.as_str().into(),
        record.status.as_str().into(),
        record.started_by.as_str().into(),
        record.trigger.as_str().into(),
        record.created_at.as_millis().into(),
        millis(record.started_at).into(),
        millis(record.finished_at).into(),
        record.error.clone().into(),
        record.waiting_for_input.into(),
        millis(record.wake_at).into(),
        i64::from(record.active_commands).into(),
        stored(record.last_seq.0).into(),
        record.owner.clone().into(),
        millis(record.lease_until).into(),
        fence.into(),
        text_key.into(),
    ]
}

/// What a workflow's name is found by.
pub(in crate::sql) fn workflow_key(name: &str) -> Vec<u8> {
    fold(name).into_bytes()
}

impl Model {
    pub(in crate::sql) fn record(self) -> Result<ExecutionRecord> {
        let reader = Reader { what: "execution", id: &self.id };
        Ok(ExecutionRecord {
            id: ExecutionId(self.id),
            workflow_id: self.workflow_id.map(WorkflowId),
            version: self.version.map(|version| reader.int("version", version)).transpose()?,
            status: reader.word("status", &self.status)?,
            trigger: reader.word("trigger", &self.trigger)?,
            created_at: Timestamp::from_millis(self.created_at),
            started_at: self.started_at.map(Timestamp::from_millis),
            finished_at: self.finished_at.map(Timestamp::from_millis),
            waiting_for_input: self.waiting_for_input,
            wake_at: self.wake_at.map(Timestamp::from_millis),
            active_commands: reader.int("active_commands", self.active_commands)?,
            last_seq: Seq(reader.int("last_seq", self.last_seq)?),
            lease_until: self.lease_until.map(Timestamp::from_millis),
            fence: self.fence,
            workflow: self.workflow,
            title: self.title,
            started_by: self.started_by,
            error: self.error,
            owner: self.owner,
        })
    }
}

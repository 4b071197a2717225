//! Stored workflows and every version of them.

use crate::Result;
use crate::text::{check_name, make_name, make_storable};
use async_trait::async_trait;
use pulse_core::ids::WorkflowId;
use pulse_core::time::Timestamp;

/// A workflow as it is in one of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowRecord {
    /// Its id, the same in every version.
    pub id: WorkflowId,
    /// Its name, unique ignoring case.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The definition as it was given.
    pub definition: String,
    /// Told when an execution ends or waits for input.
    pub webhook: Option<String>,
    /// Which version this is, from 1.
    pub version: u32,
    /// Who made the first version.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Who made this version.
    pub updated_by: String,
    /// When.
    pub updated_at: Timestamp,
}

/// A workflow to be created or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaveWorkflow {
    /// Its id, given by the caller.
    pub id: WorkflowId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The definition.
    pub definition: String,
    /// Told when an execution ends or waits for input.
    pub webhook: Option<String>,
    /// Who saves it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The version that the change was made from; none to save whatever is there.
    pub expected: Option<u32>,
}

/// An entry of a workflow's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowVersion {
    /// Which version.
    pub version: u32,
    /// Who saved it.
    pub saved_by: String,
    /// When.
    pub saved_at: Timestamp,
}

/// All workflows.
#[async_trait]
pub trait Workflows {
    /// Creates a workflow, or makes its next version; every save is a version. A deleted one comes back, with its
    /// versions going on.
    async fn save_workflow(&self, save: SaveWorkflow) -> Result<WorkflowRecord>;

    /// A workflow as it is now. Not a deleted one.
    async fn workflow(&self, id: WorkflowId) -> Result<Option<WorkflowRecord>>;

    /// A workflow by its name, ignoring case.
    async fn workflow_by_name(&self, name: &str) -> Result<Option<WorkflowRecord>>;

    /// A version of a workflow, even of a deleted one: its executions still need it.
    async fn workflow_version(&self, id: WorkflowId, version: u32) -> Result<Option<WorkflowRecord>>;

    /// The versions of a workflow, newest first, even of a deleted one.
    async fn workflow_versions(&self, id: WorkflowId) -> Result<Vec<WorkflowVersion>>;

    /// Up to `limit` workflows by name, ignoring case, only those after the name `after` when it is given, and only
    /// those with `text` in name, description or tags (ignoring case) when it is given.
    async fn workflows(&self, text: Option<&str>, after: Option<&str>, limit: usize) -> Result<Vec<WorkflowRecord>>;

    /// Deletes a workflow: its name becomes free, its versions stay. Answers whether there was one.
    async fn delete_workflow(&self, id: WorkflowId) -> Result<bool>;
}

impl SaveWorkflow {
    /// The same with texts that every database keeps. Refuses a name that is too long.
    pub(crate) fn storable(mut self) -> Result<Self> {
        check_name("workflow's name", &self.name)?;
        make_name(&mut self.by);
        let texts = [&mut self.name, &mut self.description, &mut self.definition];
        texts.into_iter().chain(self.webhook.as_mut()).chain(&mut self.tags).for_each(make_storable);
        Ok(self)
    }
}

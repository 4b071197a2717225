//! Workflows in memory.

use super::{MemoryStore, State};
use crate::text::fold;
use crate::{Error, Result, SaveWorkflow, WorkflowRecord, WorkflowVersion, Workflows};
use async_trait::async_trait;
use pulse_core::ids::WorkflowId;

#[derive(Debug)]
pub(super) struct StoredWorkflow {
    deleted: bool,
    /// Never empty; version n stands at n - 1.
    versions: Vec<WorkflowRecord>,
}

impl StoredWorkflow {
    /// The current version, unless it is deleted.
    fn live(&self) -> Option<&WorkflowRecord> {
        self.versions.last().filter(|_| !self.deleted)
    }
}

#[async_trait]
impl Workflows for MemoryStore {
    async fn save_workflow(&self, save: SaveWorkflow) -> Result<WorkflowRecord> {
        self.lock_to_write()?.save_workflow(save.storable()?)
    }

    async fn workflow(&self, id: WorkflowId) -> Result<Option<WorkflowRecord>> {
        Ok(self.lock().workflows.get(&id).and_then(StoredWorkflow::live).cloned())
    }

    async fn workflow_by_name(&self, name: &str) -> Result<Option<WorkflowRecord>> {
        Ok(self.lock().live_workflows().find(|workflow| fold(&workflow.name) == fold(name)).cloned())
    }

    async fn workflow_version(&self, id: WorkflowId, version: u32) -> Result<Option<WorkflowRecord>> {
        let state = self.lock();
        let versions = state.workflows.get(&id).map_or(&[][..], |workflow| &workflow.versions);
        Ok(versions.iter().find(|workflow| workflow.version == version).cloned())
    }

    async fn workflow_versions(&self, id: WorkflowId) -> Result<Vec<WorkflowVersion>> {
        let state = self.lock();
        let versions = state.workflows.get(&id).map_or(&[][..], |workflow| &workflow.versions);
        let newest_first = versions.iter().rev().map(|workflow| WorkflowVersion {
            version: workflow.version,
            saved_by: workflow.updated_by.clone(),
            saved_at: workflow.updated_at,
        });
        Ok(newest_first.collect())
    }

    async fn workflows(&self, text: Option<&str>, after: Option<&str>, limit: usize) -> Result<Vec<WorkflowRecord>> {
        let (text, after) = (text.map(fold), after.map(fold));
        let state = self.lock();
        let mut found: Vec<_> = state
            .live_workflows()
            .filter(|workflow| after.as_ref().is_none_or(|after| fold(&workflow.name) > *after))
            .filter(|workflow| text.as_ref().is_none_or(|text| contains(workflow, text)))
            .collect();
        found.sort_by_key(|workflow| fold(&workflow.name));
        Ok(found.into_iter().take(limit).cloned().collect())
    }

    async fn delete_workflow(&self, id: WorkflowId) -> Result<bool> {
        let mut state = self.lock_to_write()?;
        let Some(workflow) = state.workflows.get_mut(&id) else { return Ok(false) };
        Ok(!std::mem::replace(&mut workflow.deleted, true))
    }
}

fn contains(workflow: &WorkflowRecord, text: &str) -> bool {
    let mut places = [&workflow.name, &workflow.description].into_iter().chain(&workflow.tags);
    places.any(|place| fold(place).contains(text))
}

impl State {
    fn live_workflows(&self) -> impl Iterator<Item = &WorkflowRecord> {
        self.workflows.values().filter_map(StoredWorkflow::live)
    }

    fn save_workflow(&mut self, save: SaveWorkflow) -> Result<WorkflowRecord> {
        let current = self.workflows.get(&save.id).and_then(StoredWorkflow::live).map_or(0, |w| w.version);
        if save.expected.is_some_and(|expected| expected != current) {
            return Err(Error::VersionConflict { current });
        }
        if self.live_workflows().any(|other| other.id != save.id && fold(&other.name) == fold(&save.name)) {
            return Err(Error::NameTaken { name: save.name });
        }
        let stored = self.workflows.entry(save.id).or_insert(StoredWorkflow { deleted: false, versions: Vec::new() });
        let first = stored.versions.first();
        let record = WorkflowRecord {
            id: save.id,
            name: save.name,
            description: save.description,
            tags: save.tags,
            definition: save.definition,
            webhook: save.webhook,
            version: stored.versions.last().map_or(0, |last| last.version) + 1,
            created_by: first.map_or_else(|| save.by.clone(), |first| first.created_by.clone()),
            created_at: first.map_or(save.at, |first| first.created_at),
            updated_by: save.by,
            updated_at: save.at,
        };
        stored.deleted = false;
        stored.versions.push(record.clone());
        Ok(record)
    }
}

//! Child executions: started for a step of another execution, and their ends told to it.

use super::driver::{Driver, Error};
use super::start::{Begin, Begun};
use pulse_core::event::{ParentRef, WorkflowRef};
use pulse_core::ids::ExecutionId;
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_core::workflow::resolve_params;
use pulse_engine::state::ChildRecord;
use pulse_engine::{Input, Start, State};
use serde_json::{Map, Value};

impl Driver {
    /// Starts a child. When that cannot be, its parent is told so.
    pub(super) fn start_child(&self, parent: &State, child: ChildRecord) {
        let parent_id = parent.id;
        let started_by = parent.origin.as_ref().map(|origin| origin.started_by.clone()).unwrap_or_default();
        let driver = self.clone();
        self.spawn(async move {
            let execution_id = child.execution_id;
            if let Err(error) = driver.try_start_child(parent_id, started_by, child).await {
                let (status, state) = (ExecutionStatus::Failed, Map::new());
                driver.give(parent_id, Input::ChildFinished { execution_id, status, error: Some(error), state });
            }
        });
    }

    async fn try_start_child(
        &self,
        parent_id: ExecutionId,
        started_by: String,
        child: ChildRecord,
    ) -> Result<(), String> {
        let text = |error: pulse_store::Error| error.to_string();
        let found = self.store().workflow_by_name(&child.workflow).await.map_err(text)?;
        let found = found.ok_or_else(|| format!("there is no workflow `{}`", child.workflow))?;
        let workflow = WorkflowRef { id: found.id, name: found.name.clone(), version: found.version };
        let plan = self.stored_plan(&workflow).await.map_err(|error| error.to_string())?;
        let empty = Map::new();
        let given = child.params.as_object().unwrap_or(&empty);
        let params = resolve_params(&plan.workflow.params, given)
            .map_err(|bad| bad.iter().map(|bad| bad.message.as_str()).collect::<Vec<_>>().join("; "))?;
        let parent = ParentRef { execution_id: parent_id, step_id: child.step, depth: child.depth };
        let start = Start {
            workflow: Some(workflow),
            definition: None,
            params,
            targets: None,
            started_by,
            trigger: Trigger::Workflow,
            parent: Some(parent),
            queue: None,
        };
        let begin = Begin { id: Some(child.execution_id), plan, start, title: found.name, idempotency: None };
        match self.begin(begin).await {
            Ok(Begun::New(_) | Begun::Repeated(_) | Begun::KeyReused(_)) => Ok(()),
            // It was started before a restart: then it goes on by itself.
            Err(Error::Store(pulse_store::Error::Conflict { .. })) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Ends a child whose step was given up.
    pub(super) fn abort_child(&self, id: ExecutionId, reason: String) {
        self.give(id, Input::Abort { by: "its parent".to_owned(), reason: Some(reason) });
    }

    /// Tells the parent of an execution, if it has one, how it ended.
    pub(super) fn tell_parent(&self, state: &State, status: ExecutionStatus) {
        let Some(parent) = state.origin.as_ref().and_then(|origin| origin.parent.as_ref()) else { return };
        self.give(parent.execution_id, finished(state, status));
    }

    /// After a restart: starts a child that was never begun, or tells its parent of an end that it missed.
    pub(super) async fn take_up_child(&self, parent: &State, child: &ChildRecord) -> Result<(), Error> {
        match self.store().execution(child.execution_id).await? {
            None => self.start_child(parent, child.clone()),
            Some(record) if record.status.is_final() => {
                let state = self.fold(child.execution_id).await?;
                self.give(parent.id, finished(&state, record.status));
            }
            Some(_) => {}
        }
        Ok(())
    }
}

fn finished(state: &State, status: ExecutionStatus) -> Input {
    let values = match &*state.vars {
        Value::Object(values) => values.clone(),
        _ => Map::new(),
    };
    Input::ChildFinished { execution_id: state.id, status, error: state.error.clone(), state: values }
}

//! Child executions: started for a step of another execution, and their ends told to it.

use super::driver::{Driver, Error};
use super::start::Begin;
use pulse_core::event::{ParentRef, WorkflowRef};
use pulse_core::ids::ExecutionId;
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_core::workflow::resolve_child_params;
use pulse_engine::state::ChildRecord;
use pulse_engine::{Input, Start, State};
use serde_json::{Map, Value};

/// Why a child has not been started.
enum NotStarted {
    /// It never can be. Its parent is told this.
    Ever(String),
    /// It cannot be just now: the store has no room or cannot be reached, or the server stops.
    Now(Error),
}

impl From<Error> for NotStarted {
    fn from(error: Error) -> Self {
        match error.is_transient() {
            true => Self::Now(error),
            false => Self::Ever(error.to_string()),
        }
    }
}

impl Driver {
    /// Starts a child. When that can never be, its parent is told so.
    pub(super) fn start_child(&self, parent: &State, child: ChildRecord) {
        self.0.starting.announce(child.execution_id);
        let (driver, parent_id, started_by) = (self.clone(), parent.id, started_by(parent));
        self.spawn(async move { driver.start_announced(parent_id, started_by, child).await });
    }

    async fn start_announced(&self, parent_id: ExecutionId, started_by: String, child: ChildRecord) {
        let execution_id = child.execution_id;
        loop {
            match self.try_start_child(parent_id, &started_by, &child).await {
                Ok(()) => {
                    // Its parent gave it up while it was being started.
                    if let Some(reason) = self.0.starting.over(execution_id) {
                        self.abort_child(execution_id, reason);
                    }
                    return;
                }
                Err(NotStarted::Ever(error)) => {
                    self.0.starting.over(execution_id);
                    let (status, state) = (ExecutionStatus::Failed, Map::new());
                    let input = Input::ChildFinished { execution_id, status, error: Some(error), state };
                    return self.give(parent_id, input);
                }
                // At the next start the parent still waits for it, and it is started then.
                Err(NotStarted::Now(_)) if self.0.stop.is_cancelled() => return,
                Err(NotStarted::Now(_)) if self.0.starting.is_given_up(execution_id) => {
                    self.0.starting.over(execution_id);
                    return;
                }
                Err(NotStarted::Now(error)) => {
                    tracing::error!(execution = %execution_id, parent = %parent_id, %error, "a child execution cannot be started yet; trying again");
                    self.pause().await;
                }
            }
        }
    }

    async fn try_start_child(
        &self,
        parent_id: ExecutionId,
        started_by: &str,
        child: &ChildRecord,
    ) -> Result<(), NotStarted> {
        let found = self.store().workflow_by_name(&child.workflow).await.map_err(Error::from)?;
        let found = found.ok_or_else(|| NotStarted::Ever(format!("there is no workflow `{}`", child.workflow)))?;
        let workflow = WorkflowRef { id: found.id, name: found.name.clone(), version: found.version };
        let plan = self.stored_plan(&workflow).await?;
        let empty = Map::new();
        let given = child.params.as_object().unwrap_or(&empty);
        let params = resolve_child_params(&plan.workflow.params, given).map_err(NotStarted::Ever)?;
        let parent = ParentRef { execution_id: parent_id, step_id: child.step.clone(), depth: child.depth };
        let start = Start {
            workflow: Some(workflow),
            definition: None,
            params,
            targets: None,
            started_by: started_by.to_owned(),
            trigger: Trigger::Workflow,
            parent: Some(parent),
            queue: None,
        };
        let begin = Begin { id: Some(child.execution_id), plan, start, title: found.name, idempotency: None };
        match self.begin(begin).await {
            Ok(_) => Ok(()),
            // It was started before a restart: then it goes on by itself.
            Err(Error::Store(pulse_store::Error::Conflict { .. })) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends a child whose step was given up; one that is still being started, as soon as it has been.
    pub(super) fn abort_child(&self, id: ExecutionId, reason: String) {
        if self.0.starting.remember(id, &reason) {
            return;
        }
        self.give(id, Input::Abort { by: "its parent".to_owned(), reason: Some(reason) });
    }

    /// Tells the parent of an execution, if it has one, how it ended.
    pub(super) fn tell_parent(&self, state: &State, status: ExecutionStatus) {
        let Some(parent) = state.origin.as_ref().and_then(|origin| origin.parent.as_ref()) else { return };
        self.give(parent.execution_id, finished(state, status));
    }

    /// After a restart: whatever an execution waits for outside of it is looked after again. Its commands are with the
    /// fleet already. A child that its parent has given up looks after itself, see [`Self::take_up_orphan`].
    pub(super) fn take_up(&self, state: &State) {
        if state.awaits_any() {
            self.await_any(state.id);
        }
        for worker_id in state.awaited() {
            self.await_worker(state.id, worker_id);
        }
        let waited_for = state.open_children().filter(|child| state.waits_for_child(child.execution_id));
        for child in waited_for.cloned() {
            let (driver, parent_id, started_by) = (self.clone(), state.id, started_by(state));
            self.spawn(async move {
                while let Err(error) = driver.take_up_child(parent_id, &started_by, &child).await {
                    tracing::error!(execution = %child.execution_id, parent = %parent_id, %error, "what became of a child execution cannot be read; trying again");
                    if !driver.pause().await {
                        return;
                    }
                }
            });
        }
    }

    /// Starts a child that was never begun, or tells its parent of an end that it missed.
    async fn take_up_child(&self, parent_id: ExecutionId, started_by: &str, child: &ChildRecord) -> Result<(), Error> {
        let execution_id = child.execution_id;
        match self.store().execution(execution_id).await? {
            None => {
                self.0.starting.announce(execution_id);
                self.start_announced(parent_id, started_by.to_owned(), child.clone()).await;
            }
            Some(record) if record.status.is_final() => {
                let input = match self.fold(execution_id).await {
                    Ok(state) => finished(&state, record.status),
                    Err(error) if error.is_transient() => return Err(error),
                    Err(error) => {
                        let (status, error, state) = (ExecutionStatus::Failed, Some(error.to_string()), Map::new());
                        Input::ChildFinished { execution_id, status, error, state }
                    }
                };
                self.give(parent_id, input);
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// After a restart: ends a child whose parent gave it up, or is gone, and had no time to say so.
    pub(super) async fn take_up_orphan(&self, id: ExecutionId) -> Result<(), Error> {
        let state = self.fold(id).await?;
        let Some(parent) = state.origin.as_ref().and_then(|origin| origin.parent.as_ref()) else { return Ok(()) };
        if state.abort.is_some() || state.finished.is_some() {
            return Ok(());
        }
        let parent = match self.store().execution(parent.execution_id).await? {
            Some(_) => self.fold(parent.execution_id).await?,
            // It is kept no longer.
            None => State::new(parent.execution_id),
        };
        if !parent.waits_for_child(id) {
            self.abort_child(id, parent.given_up_for());
        }
        Ok(())
    }
}

/// Who started an execution, and so its children.
fn started_by(state: &State) -> String {
    state.origin.as_ref().map(|origin| origin.started_by.clone()).unwrap_or_default()
}

fn finished(state: &State, status: ExecutionStatus) -> Input {
    let values = match &*state.vars {
        Value::Object(values) => values.clone(),
        _ => Map::new(),
    };
    Input::ChildFinished { execution_id: state.id, status, error: state.error.clone(), state: values }
}

#[cfg(test)]
mod tests;

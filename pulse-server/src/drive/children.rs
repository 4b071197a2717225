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
        self.0.starting.announce(child.execution_id);
        self.spawn(async move { driver.start_announced(parent_id, started_by, child).await });
    }

    async fn start_announced(&self, parent_id: ExecutionId, started_by: String, child: ChildRecord) {
        let execution_id = child.execution_id;
        let started = self.try_start_child(parent_id, started_by, child).await;
        let abort = self.0.starting.over(execution_id);
        match (started, abort) {
            (Ok(()), None) => {}
            // Its parent gave it up while it was being started.
            (Ok(()), Some(reason)) => self.abort_child(execution_id, reason),
            (Err(error), _) => {
                let (status, state) = (ExecutionStatus::Failed, Map::new());
                self.give(parent_id, Input::ChildFinished { execution_id, status, error: Some(error), state });
            }
        }
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

    /// After a restart: starts a child that was never begun, or tells its parent of an end that it missed. One that its
    /// parent has given up looks after itself, see [`Self::take_up_orphan`].
    pub(super) async fn take_up_child(&self, parent: &State, child: &ChildRecord) -> Result<(), Error> {
        match self.store().execution(child.execution_id).await? {
            _ if !parent.waits_for_child(child.execution_id) => {}
            None => self.start_child(parent, child.clone()),
            Some(record) if record.status.is_final() => {
                let state = self.fold(child.execution_id).await?;
                self.give(parent.id, finished(&state, record.status));
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
        let waited_for = match self.store().execution(parent.execution_id).await? {
            Some(record) if !record.status.is_final() => self.fold(parent.execution_id).await?.waits_for_child(id),
            _ => false,
        };
        if !waited_for {
            self.abort_child(id, "its step was given up".to_owned());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::drive::{Timers, recover};
    use crate::fleet::{Fleet, LOST_GRACE, Limits};
    use crate::live::Hub;
    use pulse_core::ids::{StepId, WorkflowId};
    use pulse_core::protocol::worker::OUTPUT_LIMIT_BYTES;
    use pulse_store::{MemoryStore, SaveWorkflow, Store};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio_util::sync::CancellationToken;

    const PARENT: &str = "name: parent\nsteps: [{id: sub, workflow: child}]\non_failure: [{message: What now?}]";
    const CHILD: &str = "name: child\nsteps: [{id: ask, message: Well?}]";

    async fn driver(store: &Arc<dyn Store>) -> Driver {
        let hub = Hub::default();
        let limits = Limits { output_bytes: OUTPUT_LIMIT_BYTES, lost_grace: LOST_GRACE };
        let fleet = Fleet::load(store.clone(), hub.clone(), limits).await.unwrap();
        Driver::new(store.clone(), fleet, hub, Timers::new().0, None, CancellationToken::new())
    }

    async fn store() -> Arc<dyn Store> {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        for definition in [PARENT, CHILD] {
            let save = SaveWorkflow {
                id: WorkflowId(uuid::Uuid::now_v7()),
                name: definition.split(['\n', ' ']).nth(1).unwrap().to_owned(),
                description: String::new(),
                tags: Vec::new(),
                definition: definition.to_owned(),
                webhook: None,
                by: "ann".to_owned(),
                at: clock::now(),
                expected: None,
            };
            store.save_workflow(save).await.unwrap();
        }
        store
    }

    /// A parent whose child has been decided, and the child as its parent knows it.
    async fn parent(driver: &Driver) -> (ExecutionId, ChildRecord) {
        let found = driver.store().workflow_by_name("parent").await.unwrap().unwrap();
        let workflow = WorkflowRef { id: found.id, name: found.name, version: found.version };
        let plan = driver.stored_plan(&workflow).await.unwrap();
        let start = Start {
            workflow: Some(workflow),
            definition: None,
            params: Map::new(),
            targets: None,
            started_by: "ann".to_owned(),
            trigger: Trigger::Api,
            parent: None,
            queue: None,
        };
        let begin = Begin { id: None, plan, start, title: "parent".to_owned(), idempotency: None };
        let Begun::New(id) = driver.begin(begin).await.unwrap() else { panic!("it was begun before") };
        let child = driver.fold(id).await.unwrap().children[0].clone();
        (id, child)
    }

    async fn until_status(driver: &Driver, id: ExecutionId, wanted: ExecutionStatus) {
        let reached = async {
            while driver.store().execution(id).await.unwrap().is_none_or(|record| record.status != wanted) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reached).await.expect("it came to that status");
    }

    #[tokio::test]
    async fn an_abort_between_the_decision_and_the_first_entry_is_not_lost() {
        let driver = driver(&store().await).await;
        let (parent_id, known) = parent(&driver).await;
        // Another child of the same step, taken through the very moments of a start one by one.
        let child = ChildRecord { execution_id: ExecutionId(uuid::Uuid::now_v7()), ..known };
        driver.0.starting.announce(child.execution_id);
        driver.abort_child(child.execution_id, "its step was given up".to_owned());
        assert!(driver.store().execution(child.execution_id).await.unwrap().is_none(), "it is not there yet");
        driver.start_announced(parent_id, "ann".to_owned(), child.clone()).await;
        until_status(&driver, child.execution_id, ExecutionStatus::Aborted).await;
        let state = driver.fold(child.execution_id).await.unwrap();
        assert_eq!(state.abort, Some(("its parent".to_owned(), Some("its step was given up".to_owned()))));
        // One that has been started is aborted at once, and nothing is remembered of it.
        assert!(!driver.0.starting.remember(child.execution_id, "again"));
    }

    #[tokio::test]
    async fn a_child_that_nobody_waits_for_ends_after_a_restart() {
        let store = store().await;
        let before = driver(&store).await;
        let (parent_id, child) = parent(&before).await;
        until_status(&before, child.execution_id, ExecutionStatus::Waiting).await;
        // What a crash between the parent's abort and the child's leaves behind: a child that has heard of nothing.
        let orphan =
            ChildRecord { execution_id: ExecutionId(uuid::Uuid::now_v7()), step: StepId::from("sub"), ..child.clone() };
        before.start_announced(parent_id, "ann".to_owned(), orphan.clone()).await;
        let after = driver(&store).await;
        recover(&after).await.unwrap();
        until_status(&after, orphan.execution_id, ExecutionStatus::Aborted).await;
        // The one that is waited for goes on.
        let goes_on = store.execution(child.execution_id).await.unwrap().unwrap();
        assert_eq!(goes_on.status, ExecutionStatus::Waiting);
    }
}

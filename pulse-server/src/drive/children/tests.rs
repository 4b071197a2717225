//! Children whose starts and ends meet a restart, or their parent's end.

use super::*;
use crate::drive::fixtures::{driver, save, start, until_status};
use crate::drive::recover;
use pulse_core::ids::StepId;
use pulse_store::{MemoryStore, Store};
use std::sync::Arc;

const PARENT: &str = "name: parent\nsteps: [{id: sub, workflow: child}]\non_failure: [{message: What now?}]";
const CHILD: &str = "name: child\nsteps: [{id: ask, message: Well?}]";

async fn store() -> Arc<dyn Store> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    for definition in [PARENT, CHILD] {
        save(&store, definition).await;
    }
    store
}

/// A parent whose child has been decided, and the child as its parent knows it.
async fn parent(driver: &Driver) -> (ExecutionId, ChildRecord) {
    let id = start(driver, "parent").await;
    let child = driver.fold(id).await.unwrap().children[0].clone();
    (id, child)
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

#[tokio::test]
async fn a_child_that_its_parent_left_behind_is_told_why() {
    let store = store().await;
    let before = driver(&store).await;
    let (parent_id, child) = parent(&before).await;
    before.give(parent_id, Input::Abort { by: "ann".to_owned(), reason: Some("lunch".to_owned()) });
    until_status(&before, child.execution_id, ExecutionStatus::Aborted).await;
    let told = Some(("its parent".to_owned(), Some("aborted by ann: lunch".to_owned())));
    assert_eq!(before.fold(child.execution_id).await.unwrap().abort, told);
    // One that the abort did not reach before a crash.
    let orphan = ChildRecord { execution_id: ExecutionId(uuid::Uuid::now_v7()), ..child };
    before.start_announced(parent_id, "ann".to_owned(), orphan.clone()).await;
    let after = driver(&store).await;
    recover(&after).await.unwrap();
    until_status(&after, orphan.execution_id, ExecutionStatus::Aborted).await;
    assert_eq!(after.fold(orphan.execution_id).await.unwrap().abort, told);
}

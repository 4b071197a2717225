//! Definitions that were stored by an earlier version of the program, which had nothing against them.

use super::super::fixtures::{driver, save, start, until_status};
use super::store;
use pulse_core::status::ExecutionStatus;

#[tokio::test]
async fn what_only_a_later_version_calls_wrong_runs() {
    let (_, store) = store().await;
    save(
        &store,
        "name: earlier\nsteps: [{id: a, type: wait, duration: 1ms}, {id: b, command: 'true', targets: 'role==db'}]",
    )
    .await;
    let driver = driver(&store).await;
    let id = start(&driver, "earlier").await;
    // It can mean no worker, and so the step fails; but the execution has its end.
    until_status(&driver, id, ExecutionStatus::Failed).await;
}

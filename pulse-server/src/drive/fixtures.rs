//! What the tests of the driver have in common.

use super::{Begin, Begun, Driver, Error, Timers};
use crate::clock;
use crate::fleet::{Fleet, LOST_GRACE, Limits};
use crate::live::Hub;
use crate::webhooks::Webhooks;
use pulse_core::event::WorkflowRef;
use pulse_core::ids::{ExecutionId, WorkflowId};
use pulse_core::protocol::worker::OUTPUT_LIMIT_BYTES;
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_engine::Start;
use pulse_store::{IdempotencyKey, SaveWorkflow, Store};
use serde_json::Map;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest wait for anything: far beyond what a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A driver as after a start of the server.
pub(super) async fn driver(store: &Arc<dyn Store>) -> Driver {
    let hub = Hub::default();
    let limits = Limits { output_bytes: OUTPUT_LIMIT_BYTES, lost_grace: LOST_GRACE };
    let fleet = Fleet::load(store.clone(), hub.clone(), limits).await.unwrap();
    let (timers, due) = Timers::new();
    let driver = Driver::new(
        store.clone(),
        fleet,
        hub,
        timers,
        Webhooks::new("http://pulse.test"),
        None,
        CancellationToken::new(),
    );
    driver.spawn(due.run(driver.clone()));
    driver
}

/// An orderly stop.
pub(super) async fn stop(driver: &Driver) {
    driver.0.stop.cancel();
    driver.stopped().await;
}

/// Stores a definition, which begins with its name.
pub(super) async fn save(store: &Arc<dyn Store>, definition: &str) {
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

/// Starts a stored workflow under a key.
pub(super) async fn begin(driver: &Driver, name: &str, key: Option<&str>) -> Result<Begun, Error> {
    let found = driver.store().workflow_by_name(name).await.unwrap().unwrap();
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
    let idempotency = key.map(|key| IdempotencyKey {
        scope: "ann execute".to_owned(),
        key: key.to_owned(),
        request_hash: "the same".to_owned(),
    });
    driver.begin(Begin { id: None, plan, start, title: name.to_owned(), idempotency }).await
}

/// Starts a stored workflow.
pub(super) async fn start(driver: &Driver, name: &str) -> ExecutionId {
    match begin(driver, name, None).await.unwrap() {
        Begun::New(id) => id,
        other => panic!("{other:?}"),
    }
}

/// Looks again and again until there is what is looked for.
pub(super) async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, found).await;
    found.unwrap_or_else(|_| panic!("waited in vain until {what}"))
}

/// Waits until an execution has a status.
pub(super) async fn until_status(driver: &Driver, id: ExecutionId, wanted: ExecutionStatus) {
    let is_reached = async || (status(driver, id).await == Some(wanted)).then_some(());
    until(&format!("{id} was {wanted}"), is_reached).await;
}

/// The status of an execution in the store.
pub(super) async fn status(driver: &Driver, id: ExecutionId) -> Option<ExecutionStatus> {
    driver.store().execution(id).await.unwrap().map(|record| record.status)
}

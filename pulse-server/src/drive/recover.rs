//! After a start: executions with commands on workers are brought into memory, their commands given to the fleet. Those
//! that wait stay where they are; timers and answers wake them.

use super::driver::{Driver, Error};
use pulse_core::event::WorkflowRef;
use pulse_core::ids::ExecutionId;
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_engine::Input;
use pulse_store::ExecutionRecord;

/// Executions that are read from the store at once.
const PAGE: usize = 500;

/// Takes up what was running when the server last stopped, and answers how much that is. An execution that cannot be
/// taken up is named in the log and left as it is.
///
/// # Errors
/// When the store cannot be read.
pub async fn recover(driver: &Driver) -> Result<usize, Error> {
    let mut after: Option<ExecutionId> = None;
    let mut recovered = 0;
    loop {
        let page = driver.store().unfinished(after, PAGE).await?;
        let full = page.len() == PAGE;
        after = page.last().map(|record| record.id);
        for record in page {
            // Only those that wait their turn tell the limit: it takes reading their definition.
            let limit = match record.status {
                ExecutionStatus::Queued => limit(driver, &record).await,
                _ => None,
            };
            driver.take_place(&record, limit);
            let mut taken = Ok(());
            if record.active_commands > 0 {
                taken = take_up(driver, record.id).await;
                recovered += usize::from(taken.is_ok());
            }
            if taken.is_ok() && record.trigger == Trigger::Workflow {
                taken = driver.take_up_orphan(record.id).await;
            }
            if let Err(error) = taken {
                tracing::error!(execution = %record.id, %error, "an execution cannot be taken up");
            }
        }
        if !full {
            driver.admit_all();
            return Ok(recovered);
        }
    }
}

/// How many executions of a queued one's workflow may run at once, by its own version of the definition.
async fn limit(driver: &Driver, record: &ExecutionRecord) -> Option<u32> {
    let (id, name, version) = (record.workflow_id?, record.workflow.clone()?, record.version?);
    let plan = driver.stored_plan(&WorkflowRef { id, name, version }).await.ok()?;
    plan.workflow.concurrency.map(|concurrency| concurrency.limit)
}

async fn take_up(driver: &Driver, id: ExecutionId) -> Result<(), Error> {
    let loaded = driver.load(id).await?;
    let (state, secrets) = (loaded.state.clone(), loaded.secrets.clone());
    driver.start_actor(loaded);
    for command in state.outstanding() {
        driver.hand_over(id, command, &secrets, false);
    }
    for worker_id in state.awaited() {
        driver.await_worker(id, worker_id);
    }
    for child in state.open_children() {
        driver.take_up_child(&state, child).await?;
    }
    driver.input(id, Input::Recovered).await
}

//! After a start: executions with commands on workers are brought into memory, their commands given to the fleet. Those
//! that wait stay where they are; timers and answers wake them.

use super::driver::{Driver, Error};
use futures_util::{StreamExt, stream};
use pulse_core::ids::ExecutionId;
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_engine::Input;
use pulse_store::ExecutionRecord;

/// Executions that are read from the store at once.
const PAGE: usize = 500;
/// Executions that are taken up at once: their commits go together.
const AT_ONCE: usize = 64;

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
        for record in &page {
            // Only those that wait their turn tell the limit: it takes reading their definition.
            let limit = match record.status {
                ExecutionStatus::Queued => driver.concurrency(record).await?.map(|concurrency| concurrency.limit),
                _ => None,
            };
            driver.take_place(record, limit);
        }
        let mut all = stream::iter(&page).map(|record| take_up(driver, record)).buffer_unordered(AT_ONCE);
        while let Some(taken) = all.next().await {
            recovered += usize::from(taken?);
        }
        if !full {
            driver.fleet().restored();
            driver.make_room_again().await?;
            driver.admit_all();
            return Ok(recovered);
        }
    }
}

/// Answers whether an execution was running and goes on.
async fn take_up(driver: &Driver, record: &ExecutionRecord) -> Result<bool, Error> {
    let is_active = record.active_commands > 0;
    let taken = async {
        if is_active {
            driver.input(record.id, Input::Recovered).await?;
        }
        if record.trigger == Trigger::Workflow {
            driver.take_up_orphan(record.id).await?;
        }
        Ok::<(), Error>(())
    };
    match taken.await {
        Ok(()) => Ok(is_active),
        Err(error) if error.is_transient() => Err(error),
        Err(error) => {
            tracing::error!(execution = %record.id, %error, "an execution cannot be taken up");
            Ok(false)
        }
    }
}

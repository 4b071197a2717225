//! After a start: executions with commands on workers are brought into memory, their commands given to the fleet. Those
//! that wait stay where they are; timers and answers wake them.

use super::driver::{Driver, Error};
use pulse_core::ids::ExecutionId;
use pulse_engine::Input;

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
        for record in page.into_iter().filter(|record| record.active_commands > 0) {
            match take_up(driver, record.id).await {
                Ok(()) => recovered += 1,
                Err(error) => tracing::error!(execution = %record.id, %error, "an execution cannot be taken up"),
            }
        }
        if !full {
            return Ok(recovered);
        }
    }
}

async fn take_up(driver: &Driver, id: ExecutionId) -> Result<(), Error> {
    let loaded = driver.load(id).await?;
    let outstanding = loaded.state.outstanding();
    driver.start_actor(loaded);
    for command in outstanding {
        driver.fleet().restore(id, command);
    }
    driver.input(id, Input::Recovered).await
}

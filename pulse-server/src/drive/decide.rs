//! One decision of the engine, with the clock and the workers of this moment.

use super::driver::Driver;
use crate::clock;
use pulse_core::ids::ExecutionId;
use pulse_engine::{Context, Input, Plan, Refused, State, Transition, advance_unless};

/// Decides one input. After a start of the server, steps that would leave out a worker which is on its way back are put off
/// until that is here, or its time is over: then the execution is asked again.
pub(super) fn decide(driver: &Driver, plan: &Plan, state: &mut State, input: Input) -> Result<Transition, Refused> {
    let fleet = driver.0.fleet.snapshot();
    let cx = Context { now: clock::now(), entropy: clock::entropy(), fleet: &fleet };
    let returning = driver.0.fleet.returning();
    let id = state.id;
    let transition = advance_unless(plan, state, input, &cx, &|resolved| returning.misses(resolved))?;
    if transition.put_off {
        driver.ask_again(id);
    }
    Ok(transition)
}

impl Driver {
    /// Asks an execution again once somebody has come who was expected, or nobody is any more.
    fn ask_again(&self, id: ExecutionId) {
        let driver = self.clone();
        self.spawn(async move {
            tokio::select! {
                () = driver.0.fleet.returning().changed() => driver.give(id, Input::Timer),
                () = driver.0.stop.cancelled() => {}
            }
        });
    }
}

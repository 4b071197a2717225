//! One decision of the engine, with the clock and the workers of this moment.

use super::driver::Driver;
use crate::clock;
use pulse_engine::{Context, Input, Plan, Refused, State, Transition, advance};

/// Decides one input. After a start of the server, a decision that would leave out a worker which is on its way back is
/// put off until that is here, or its time is over.
pub(super) async fn decide(
    driver: &Driver,
    plan: &Plan,
    state: &mut State,
    input: Input,
) -> Result<Transition, Refused> {
    let returning = driver.0.fleet.returning();
    while returning.expects_any() && !driver.0.stop.is_cancelled() {
        let mut after = state.clone();
        let transition = once(driver, plan, &mut after, input.clone())?;
        if !returning.misses(&transition.entries) {
            *state = after;
            return Ok(transition);
        }
        returning.changed().await;
    }
    once(driver, plan, state, input)
}

fn once(driver: &Driver, plan: &Plan, state: &mut State, input: Input) -> Result<Transition, Refused> {
    let fleet = driver.0.fleet.snapshot();
    let cx = Context { now: clock::now(), entropy: clock::entropy(), fleet: &fleet };
    advance(plan, state, input, &cx)
}

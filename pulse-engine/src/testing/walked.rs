//! A journal folded entry by entry, with the steps that started on the way.

use crate::{Misfit, State, apply};
use pulse_core::event::Entry;
use pulse_core::ids::{ExecutionId, FrameId, StepId};

/// How far a journal has been folded.
#[derive(Clone, Debug)]
pub(super) struct Walked {
    pub state: State,
    /// The steps that started, in order. Those that end at once have started, too; skipped ones have not.
    pub path: Vec<StepId>,
}

impl Walked {
    pub(super) fn new(id: ExecutionId) -> Self {
        Self { state: State::new(id), path: Vec::new() }
    }

    /// Takes the next entry.
    pub(super) fn entry(&mut self, entry: &Entry) -> Result<(), Misfit> {
        let runs = |state: &State, key: &(FrameId, StepId)| state.steps.get(key).map_or(0, |record| record.run);
        let step = entry.event.step().map(|at| (at.frame, at.step_id.clone()));
        let before = step.as_ref().map_or(0, |key| runs(&self.state, key));
        apply(&mut self.state, entry)?;
        self.path.extend(step.filter(|key| runs(&self.state, key) > before).map(|(_, id)| id));
        Ok(())
    }
}

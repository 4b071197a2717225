//! What was given up and told to stop, and has not ended yet.

use super::{Outstanding, Run, State};
use pulse_core::event::StepRef;
use pulse_core::ids::{ExecutionId, FrameId};
use pulse_core::time::Timestamp;
use std::time::Duration;

/// How long what was told to stop is waited for: twice the grace that a worker gives a command.
pub const STOP_WAIT: Duration = Duration::from_secs(10);

/// Something that has to end before anything goes on that comes behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stopping {
    /// The step that was given up.
    pub at: StepRef,
    /// What it had begun.
    pub what: Given,
    /// The lists of steps in which that step stood, from the inside out: none of them goes on.
    pub frames: Vec<FrameId>,
    /// Until when it is waited for.
    pub until: Timestamp,
}

/// What a step had given to others.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// A command, to a worker.
    Command(Outstanding),
    /// A child execution.
    Child(ExecutionId),
}

impl State {
    /// What the active step of a frame has begun, in case it is given up now.
    pub(crate) fn begun_by(&self, at: &StepRef, now: Timestamp) -> Vec<Stopping> {
        let active = self.frames.get(&at.frame).and_then(|frame| frame.active.as_ref());
        let begun: Vec<Given> = match active.map(|active| &active.run) {
            Some(Run::Execute(run)) => run.outstanding(&at.step_id).map(Given::Command).collect(),
            Some(Run::Child { execution_id }) => self
                .open_children()
                .filter(|child| child.execution_id == *execution_id)
                .map(|child| Given::Child(child.execution_id))
                .collect(),
            _ => Vec::new(),
        };
        let frames = if begun.is_empty() { Vec::new() } else { self.chain(at.frame) };
        let stopping = |what| Stopping { at: at.clone(), what, frames: frames.clone(), until: now.plus(STOP_WAIT) };
        begun.into_iter().map(stopping).collect()
    }

    /// The commands that were told to stop and have not ended.
    pub fn stopping_commands(&self) -> impl Iterator<Item = &Outstanding> {
        self.stopping.iter().filter_map(|stopping| match &stopping.what {
            Given::Command(command) => Some(command),
            Given::Child(_) => None,
        })
    }

    /// Whether a list of steps has to wait until something has ended that was given up in it.
    pub fn is_stopping(&self, frame: FrameId) -> bool {
        self.stopping.iter().any(|stopping| stopping.frames.contains(&frame))
    }
}

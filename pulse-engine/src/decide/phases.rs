//! The execution as a whole: its main steps, then those of `on_failure` when they failed or were aborted, then those of
//! `finally`; and what ends them before their time.

use super::Machine;
use crate::apply::{FINALLY, ON_FAILURE};
use crate::input::Refused;
use crate::state::{Frame, Phase, Position};
use pulse_core::event::{Event, Next};
use pulse_core::ids::FrameId;
use pulse_core::status::{ExecutionStatus, StepStatus};

impl<'m> Machine<'m> {
    fn phase_frame(&self) -> FrameId {
        match self.state.phase {
            Phase::Main => FrameId::ROOT,
            Phase::OnFailure(frame) | Phase::Finally(frame) => frame,
        }
    }

    /// The frame of the top-level list that runs.
    pub(super) fn current(&self) -> Option<&Frame> {
        self.state.frames.get(&self.phase_frame())
    }

    fn failed(&self, frame: FrameId) -> bool {
        self.state.frames.get(&frame).is_some_and(|frame| frame.position == Position::Failed)
    }

    /// A top-level list is over: the next phase, or the end.
    pub(super) fn phase_over(&mut self) {
        let next = match self.state.phase {
            Phase::Main if self.failed(FrameId::ROOT) && self.plan.on_failure().is_some() => {
                self.plan.on_failure().map(|list| (ON_FAILURE, list))
            }
            Phase::Main | Phase::OnFailure(_) => self.plan.finally().map(|list| (FINALLY, list)),
            Phase::Finally(_) => None,
        };
        match next {
            Some((name, list)) => {
                let frame_id = FrameId(self.state.frames_started + 1);
                let name = name.to_owned();
                self.emit(Event::FrameStarted { parent: None, frame_id, list, name, index: 0, item: None });
            }
            None => self.finish(),
        }
    }

    fn finish(&mut self) {
        let last = self.phase_frame();
        let root_failed = self.failed(FrameId::ROOT);
        let finally_failed = matches!(self.state.phase, Phase::Finally(_)) && self.failed(last);
        let error_of = |frame: FrameId| self.state.frames.get(&frame).and_then(|frame| frame.error.clone());
        let (status, error) = match &self.state.abort {
            Some((by, reason)) => {
                let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                (ExecutionStatus::Aborted, Some(format!("aborted by {by}{reason}")))
            }
            None if root_failed => {
                let error = self.state.error.clone().or_else(|| error_of(FrameId::ROOT));
                (ExecutionStatus::Failed, Some(error.unwrap_or_else(|| "a step led to `fail`".to_owned())))
            }
            None if finally_failed => {
                let error = error_of(last).unwrap_or_else(|| "a step led to `fail`".to_owned());
                (ExecutionStatus::Failed, Some(format!("finally: {error}")))
            }
            None => (ExecutionStatus::Completed, None),
        };
        self.emit(Event::ExecutionFinished { status, error });
    }

    /// Ends whatever runs in the current phase; what follows it follows.
    fn end_phase(&mut self) {
        let frame = self.phase_frame();
        self.end_frames_below(frame);
        if let Some(at) = self.state.frames.get(&frame).and_then(|f| f.active.as_ref()).map(|active| active.at.clone())
        {
            self.emit(Event::StepFinished { at, status: StepStatus::Aborted, error: None, next: Next::Fail });
        }
    }

    pub(super) fn abort(&mut self, by: String, reason: Option<String>) -> Result<(), Refused> {
        self.refuse_ended()?;
        self.emit(Event::AbortRequested { by, reason });
        if self.state.queued {
            self.finish();
        } else {
            self.end_phase();
        }
        Ok(())
    }

    /// The main steps have had their time.
    pub(super) fn out_of_time(&mut self) {
        let limit = self.plan.workflow.timeout.map(pulse_core::duration::display).unwrap_or_default();
        self.give_up(format!("the execution did not end within {limit}"));
    }

    /// The current phase cannot go on.
    pub(super) fn give_up(&mut self, message: String) {
        self.emit(Event::WorkflowError { message });
        self.end_phase();
        let frame = self.phase_frame();
        if !self.failed(frame) {
            // Between two steps: nothing was active that could have ended the frame.
            self.emit(Event::FrameFinished {
                parent: None,
                frame_id: frame,
                name: String::new(),
                status: StepStatus::Failed,
                error: None,
            });
        }
    }
}

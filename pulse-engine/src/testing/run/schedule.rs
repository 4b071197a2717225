//! What a step asks of the world outside, answered by the entries of `given`: now, or after their `duration`.

use super::super::givens::Asked;
use super::super::suite::{Given, Reaction};
use super::{Due, Open, Run, Stopped};
use crate::Input;
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::event::Event;
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::status::ExecutionStatus;
use serde_json::{Map, Value};
use std::time::Duration;

impl<'g> Run<'_, 'g> {
    /// Finds the entry that answers what an event asks, and schedules it.
    pub(super) fn observe(&mut self, event: &Event) -> Result<(), Stopped> {
        match event {
            Event::StepStarted { at, .. } => self.ran.givens.new_run(&at.step_id),
            Event::CommandSent { .. } => return self.command_sent(event),
            Event::ChildStarted { .. } => return self.child_started(event),
            Event::Prompt { .. } => self.prompt(event),
            Event::PromptResponse { prompt_id, .. } | Event::PromptTimeout { prompt_id, .. } => {
                self.open.retain(|open| open.id != *prompt_id);
            }
            Event::StepFinished { at, .. } => {
                self.open.retain(|open| open.frame != at.frame || open.step != at.step_id);
            }
            Event::TargetsResolved { at, awaited, .. } => {
                for worker in awaited {
                    if let Some((index, given)) = self.ran.givens.take(&at.step_id, Asked::Worker(&worker.worker)) {
                        let input = Input::WorkerOnline { worker_id: worker.worker_id };
                        self.schedule(index, given, given.after, input);
                    }
                }
            }
            Event::WaitStarted { at, .. } => {
                if let Some((index, given)) = self.ran.givens.take(&at.step_id, Asked::Wait) {
                    self.schedule_abort(index, given);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn command_sent(&mut self, event: &Event) -> Result<(), Stopped> {
        let Event::CommandSent { at, worker, attempt, command_id, spec, command, .. } = event else { return Ok(()) };
        let asked = Asked::Command { worker: &worker.worker, attempt: attempt.0 };
        let Some((index, given)) = self.ran.givens.take(&at.step_id, asked) else {
            let command = command.trim_end().lines().map(str::to_owned);
            let first = format!("on {}, attempt {attempt}:", worker.worker);
            return Err(self.not_given(&at.step_id, std::iter::once(first).chain(command).collect()));
        };
        match &given.reaction {
            Reaction::End(end) => {
                let (end, after) = limited(end, given.after, Duration::from_millis(spec.timeout_ms));
                let input = Input::CommandFinished { command_id: *command_id, end: Box::new(end) };
                self.schedule(index, given, after, input);
            }
            _ => self.schedule_abort(index, given),
        }
        Ok(())
    }

    fn child_started(&mut self, event: &Event) -> Result<(), Stopped> {
        let Event::ChildStarted { at, execution_id, workflow, params, .. } = event else { return Ok(()) };
        let Some((index, given)) = self.ran.givens.take(&at.step_id, Asked::Child) else {
            let asked = format!("run {workflow} with {}", Value::Object(params.clone()));
            return Err(self.not_given(&at.step_id, vec![asked]));
        };
        match &given.reaction {
            Reaction::Child { status, error, state, .. } => {
                let (execution_id, status) = (*execution_id, *status);
                let (error, state) = (error.clone(), state.clone());
                let input = Input::ChildFinished { execution_id, status, error, state };
                self.schedule(index, given, given.after, input);
            }
            _ => self.schedule_abort(index, given),
        }
        Ok(())
    }

    fn prompt(&mut self, event: &Event) {
        let Event::Prompt { at, prompt_id, message, deadline, .. } = event else { return };
        let Some((index, given)) = self.ran.givens.take(&at.step_id, Asked::Prompt) else {
            let (id, frame, step) = (*prompt_id, at.frame, at.step_id.clone());
            self.open.push(Open { id, frame, step, message: message.clone(), deadline: *deadline });
            return;
        };
        match &given.reaction {
            Reaction::Answer { response, by, fields } => {
                let (response, by, fields) = (response.clone(), by.clone(), fields.clone());
                let input = Input::Answer { prompt_id: Some(*prompt_id), response, by, fields };
                self.schedule(index, given, given.after, input);
            }
            Reaction::Abort { .. } => self.schedule_abort(index, given),
            // Nobody answers: time passes until its deadline.
            _ => {}
        }
    }

    fn schedule(&mut self, index: usize, given: &'g Given, after: Duration, input: Input) {
        self.asked += 1;
        self.due.push(Due { at: self.now.plus(after), order: (index, self.asked), given: Some(given), input });
    }

    pub(super) fn schedule_abort(&mut self, index: usize, given: &'g Given) {
        if let Reaction::Abort { by, reason } = &given.reaction {
            self.schedule(index, given, given.after, Input::Abort { by: by.clone(), reason: reason.clone() });
        }
    }

    /// A command that is told to stop ends as soon as its entry says, by itself or not.
    pub(super) fn cancel(&mut self, id: CommandId, reason: &str) {
        let is_end = |input: &Input| matches!(input, Input::CommandFinished { command_id, .. } if *command_id == id);
        let end = Box::new(CommandEnd::without_process(Outcome::Cancelled, reason));
        self.stop(is_end, || Input::CommandFinished { command_id: id, end: end.clone() });
    }

    /// A child that is told to stop ends as soon as its entry says, by itself or not.
    pub(super) fn abort_child(&mut self, id: ExecutionId, reason: &str) {
        let is_end = |input: &Input| matches!(input, Input::ChildFinished { execution_id, .. } if *execution_id == id);
        self.stop(is_end, || Input::ChildFinished {
            execution_id: id,
            status: ExecutionStatus::Aborted,
            error: Some(reason.to_owned()),
            state: Map::new(),
        });
    }

    fn stop(&mut self, is_end: impl Fn(&Input) -> bool, stopped: impl Fn() -> Input) {
        let now = self.now;
        for due in self.due.iter_mut().filter(|due| is_end(&due.input)) {
            let at = now.plus(due.given.map(|given| given.stops_after).unwrap_or_default());
            if at <= due.at {
                (due.at, due.input) = (at, stopped());
            }
        }
    }
}

/// A command's end, stopped at its time limit when it would take longer.
fn limited(end: &CommandEnd, after: Duration, limit: Duration) -> (CommandEnd, Duration) {
    let mut end = end.clone();
    if end.outcome == Outcome::Exited && after > limit {
        (end.outcome, end.exit_code, end.signal) = (Outcome::TimedOut, None, None);
        end.duration_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        return (end, limit);
    }
    (end, after)
}

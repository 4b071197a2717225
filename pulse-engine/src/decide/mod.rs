//! Deciding: from a state and one input to the events that follow. Each event is folded in as soon as it is decided, so
//! that what comes next sees it. One file per kind of step.

mod execute;
mod parse;
mod prompt;
mod render;
mod route;
mod set;
mod wait;

use crate::apply::apply;
use crate::effect::{Effect, effects};
use crate::expr::{EvalError, Expr, Scope};
use crate::input::{Context, Draw, Input, Refused, Start};
use crate::plan::{Plan, PlannedKind, PlannedStep};
use crate::scope::scope;
use crate::state::{Position, Run, State};
use pulse_core::event::{Entry, Event, FORMAT, Next, StepRef};
use pulse_core::ids::{FrameId, StepId};
use pulse_core::status::{ExecutionStatus, StepStatus};
use pulse_core::workflow::{Goto, OnError};
use std::time::Duration;

/// What an input led to.
#[must_use = "entries have to be made durable, then effects carried out"]
#[derive(Debug, Default, PartialEq)]
pub struct Transition {
    /// The events, in order, already folded into the state.
    pub entries: Vec<Entry>,
    /// What to do once they are durable.
    pub effects: Vec<Effect>,
}

/// Takes an input into a state.
///
/// # Errors
/// When the input is refused; the state is then as it was.
pub fn advance(plan: &Plan, state: &mut State, input: Input, cx: &Context<'_>) -> Result<Transition, Refused> {
    let mut machine = Machine { plan, state, cx, draw: Draw::new(cx), transition: Transition::default() };
    machine.input(input)?;
    Ok(machine.transition)
}

/// The events that an input leads to; the state stays as it is.
///
/// # Errors
/// When the input is refused.
pub fn decide(plan: &Plan, state: &State, input: Input, cx: &Context<'_>) -> Result<Vec<Entry>, Refused> {
    advance(plan, &mut state.clone(), input, cx).map(|transition| transition.entries)
}

/// Deciding at work.
pub(crate) struct Machine<'m> {
    plan: &'m Plan,
    state: &'m mut State,
    cx: &'m Context<'m>,
    draw: Draw,
    transition: Transition,
}

impl<'m> Machine<'m> {
    fn input(&mut self, input: Input) -> Result<(), Refused> {
        match input {
            Input::Start(start) => self.start(*start),
            Input::CommandFinished { command_id, end } => self.command_finished(command_id, *end)?,
            Input::Answer { prompt_id, response, by } => self.answer(prompt_id, &response, &by)?,
            Input::Timer => self.timer(),
            Input::Abort { by, reason } => self.abort(by, reason)?,
            Input::Recovered => self.recovered(),
        }
        self.run();
        Ok(())
    }

    /// Decides an event: folds it in and notes its effects.
    fn emit(&mut self, event: Event) {
        let entry = Entry { seq: self.state.last_seq.next(), timestamp: self.cx.now, event };
        apply(self.state, &entry).expect("an event that was just decided fits the state it was decided on");
        self.transition.effects.extend(effects(self.state, &entry));
        self.transition.entries.push(entry);
    }

    fn start(&mut self, start: Start) {
        if self.state.origin.is_some() {
            return;
        }
        let Start { workflow, definition, params, targets, started_by, trigger } = start;
        let format = FORMAT;
        self.emit(Event::ExecutionCreated { format, workflow, definition, params, targets, started_by, trigger });
    }

    fn recovered(&mut self) {
        let running = self.state.outstanding().len();
        if running > 0 && self.state.finished.is_none() {
            self.emit(Event::ServerRestartRecovery { running_commands: u32::try_from(running).unwrap_or(u32::MAX) });
        }
    }

    fn abort(&mut self, by: String, reason: Option<String>) -> Result<(), Refused> {
        self.refuse_ended()?;
        let error = match &reason {
            Some(reason) => format!("aborted by {by}: {reason}"),
            None => format!("aborted by {by}"),
        };
        self.emit(Event::AbortRequested { by, reason });
        let active: Vec<StepRef> = self.state.active().map(|(_, active)| active.at.clone()).collect();
        for at in active {
            self.emit(Event::StepFinished { at, status: StepStatus::Aborted, error: None, next: Next::Fail });
        }
        self.emit(Event::ExecutionFinished { status: ExecutionStatus::Aborted, error: Some(error) });
        Ok(())
    }

    fn refuse_ended(&self) -> Result<(), Refused> {
        self.state.finished.map_or(Ok(()), |(_, status)| Err(Refused::Ended { status }))
    }

    /// Everything that is due at this time.
    fn timer(&mut self) {
        let now = self.cx.now;
        let due = |run: &Run| run.wake_at().is_some_and(|at| at <= now);
        let steps: Vec<StepRef> =
            self.state.active().filter(|(_, active)| due(&active.run)).map(|(_, active)| active.at.clone()).collect();
        for at in steps {
            match self.state.frames.get(&at.frame).and_then(|frame| frame.active.as_ref()).map(|active| &active.run) {
                Some(Run::Prompt(_)) => self.prompt_timed_out(&at),
                Some(Run::Wait { .. }) => self.wait_over(&at),
                Some(Run::Execute(_)) => self.retries_due(&at),
                Some(Run::Started) | None => {}
            }
        }
    }

    /// Goes on until every frame waits for something or has ended.
    fn run(&mut self) {
        while self.state.origin.is_some() && self.state.finished.is_none() {
            let idle = self.state.frames.iter().find(|(_, frame)| frame.active.is_none()).map(|(id, _)| *id);
            let Some(frame) = idle else { return };
            self.run_frame(frame);
        }
    }

    /// Takes the next step of a frame that has no active one.
    fn run_frame(&mut self, frame: FrameId) {
        let position = self.state.frames.get(&frame).map(|frame| frame.position.clone());
        let id = match position {
            None => return,
            Some(Position::Ended) => return self.finish(ExecutionStatus::Completed),
            Some(Position::Failed) => return self.finish(ExecutionStatus::Failed),
            Some(Position::At(id)) => id,
            Some(Position::Start) => match self.plan.steps.first() {
                Some(planned) => planned.step.id.clone(),
                None => return self.give_up("the workflow has no steps".to_owned()),
            },
        };
        let (Some(planned), Some(at)) = (self.plan.step(&id), self.plan.reference(frame, &id)) else {
            return self.give_up(format!("the definition has no step `{id}`"));
        };
        if self.state.steps_started >= self.plan.workflow.max_steps {
            let message = format!("{} steps have started: the workflow loops (max_steps)", self.state.steps_started);
            return self.give_up(message);
        }
        match self.holds(planned, &at) {
            Ok(true) => self.start_step(planned, at),
            Ok(false) => {
                let condition = planned.condition.as_ref().map(Expr::source).unwrap_or_default().to_owned();
                let next = self.following(&id);
                self.emit(Event::StepSkipped { at, condition, next });
            }
            Err(error) => self.fail_step(at, explain(&error)),
        }
    }

    fn start_step(&mut self, planned: &'m PlannedStep, at: StepRef) {
        match &planned.kind {
            PlannedKind::Parse(parse) => self.parse(planned, at, parse),
            PlannedKind::Route(conditions) => self.route(planned, at, conditions),
            PlannedKind::Set(values) => self.set(planned, at, values),
            PlannedKind::Execute(execute) => {
                self.step_started(&at);
                self.execute(at, execute);
            }
            PlannedKind::Prompt(prompt) => {
                self.step_started(&at);
                self.prompt(at, prompt);
            }
            PlannedKind::Wait(wait) => {
                self.step_started(&at);
                self.wait(at, wait);
            }
        }
    }

    fn step_started(&mut self, at: &StepRef) {
        let run = self.state.steps.get(&at.step_id).map_or(0, |record| record.run) + 1;
        self.emit(Event::StepStarted { at: at.clone(), run });
    }

    /// Whether a step's condition holds; a step without one always runs.
    fn holds(&mut self, planned: &PlannedStep, at: &StepRef) -> Result<bool, EvalError> {
        planned.condition.as_ref().map_or(Ok(true), |condition| self.test(condition, at))
    }

    /// A condition's value; with `lenient_conditions`, one that fails is false and leaves a warning in the journal.
    fn test(&mut self, condition: &Expr, at: &StepRef) -> Result<bool, EvalError> {
        match condition.eval_bool(&self.scope(std::iter::once(condition))) {
            Err(error) if self.plan.workflow.lenient_conditions => {
                let (condition, message) = (condition.source().to_owned(), explain(&error));
                self.emit(Event::ConditionError { at: at.clone(), condition, message });
                Ok(false)
            }
            result => result,
        }
    }

    fn scope<'e>(&self, exprs: impl Iterator<Item = &'e Expr>) -> Scope {
        scope(self.state, self.cx.now, exprs)
    }

    /// Ends a step well.
    fn complete_step(&mut self, at: StepRef, goto: Option<&Goto>) {
        let next = self.next(&at.step_id, goto);
        self.emit(Event::StepFinished { at, status: StepStatus::Completed, error: None, next });
    }

    /// Ends a step badly and goes where its `on_error` says.
    fn fail_step(&mut self, at: StepRef, error: String) {
        let next = match self.plan.step(&at.step_id).map(|planned| &planned.step.on_error) {
            Some(OnError::Continue) => self.next(&at.step_id, None),
            Some(OnError::Step(id)) => Next::Step(id.clone()),
            Some(OnError::Fail) | None => Next::Fail,
        };
        self.emit(Event::StepFinished { at, status: StepStatus::Failed, error: Some(error), next });
    }

    /// Where a step leads after success: a jump that its run chose, its own `goto`, or the next step.
    fn next(&self, id: &StepId, chosen: Option<&Goto>) -> Next {
        let own = self.plan.step(id).and_then(|planned| planned.step.goto.as_ref());
        match chosen.or(own) {
            Some(Goto::Step(id)) => Next::Step(id.clone()),
            Some(Goto::End) => Next::End,
            Some(Goto::Fail) => Next::Fail,
            None => self.following(id),
        }
    }

    /// The step behind a step, or the end.
    fn following(&self, id: &StepId) -> Next {
        self.plan.after(id).map_or(Next::End, |next| Next::Step(next.clone()))
    }

    fn finish(&mut self, status: ExecutionStatus) {
        let error = match status {
            ExecutionStatus::Failed => Some(self.state.error.clone().unwrap_or_else(|| "a step led to `fail`".into())),
            _ => None,
        };
        self.emit(Event::ExecutionFinished { status, error });
    }

    /// The execution cannot go on at all.
    fn give_up(&mut self, message: String) {
        self.emit(Event::WorkflowError { message });
        let active: Vec<StepRef> = self.state.active().map(|(_, active)| active.at.clone()).collect();
        for at in active {
            self.emit(Event::StepFinished { at, status: StepStatus::Aborted, error: None, next: Next::Fail });
        }
        self.finish(ExecutionStatus::Failed);
    }

    /// A time from now.
    fn after(&self, duration: Duration) -> pulse_core::time::Timestamp {
        self.cx.now.plus(duration)
    }
}

/// An expression that failed, with what it saw: `` `state.n > 1`: … (state.n = "x") ``.
fn explain(error: &EvalError) -> String {
    let seen: Vec<String> = error.seen.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let seen = if seen.is_empty() { String::new() } else { format!(" ({})", seen.join(", ")) };
    format!("`{}`: {error}{seen}", error.expression)
}

//! Deciding: from a state and one input to the events that follow. Each event is folded in as soon as it is decided, so
//! that what comes next sees it. One file per kind of step.

mod child;
mod execute;
mod frames;
mod limits;
mod parse;
mod phases;
mod prompt;
mod render;
mod route;
mod secrets;
mod set;
mod wait;

use crate::apply::apply;
use crate::effect::{Effect, abandoned, following};
use crate::expr::{EvalError, Expr, Scope};
use crate::fleet::Resolved;
use crate::input::{Context, Draw, Input, Refused, Start};
use crate::plan::{Plan, PlannedKind, PlannedStep};
use crate::scope::scope;
use crate::state::{Active, Given, Phase, Position, Run, STOP_WAIT, State, Stopping};
use pulse_core::event::{Entry, Event, FORMAT, Next, StepRef};
use pulse_core::ids::{FrameId, StepId};
use pulse_core::status::StepStatus;
use pulse_core::workflow::{Goto, OnError, take_secrets};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// What an input led to.
#[must_use = "entries have to be made durable, then effects carried out"]
#[derive(Debug, Default, PartialEq)]
pub struct Transition {
    /// The events, in order, already folded into the state.
    pub entries: Vec<Entry>,
    /// What to do once they are durable.
    pub effects: Vec<Effect>,
    /// A step was not started, because its workers are on their way: see [`advance_unless`].
    pub put_off: bool,
}

/// Takes an input into a state.
///
/// # Errors
/// When the input is refused; the state is then as it was.
pub fn advance(plan: &Plan, state: &mut State, input: Input, cx: &Context<'_>) -> Result<Transition, Refused> {
    advance_unless(plan, state, input, cx, &|_| false)
}

/// The same, but no step is started whose targets are to be waited for first, as those of a server that has just come back:
/// their workers are on their way. All else goes on. Any later input, [`Input::Timer`] among them, tries again.
///
/// # Errors
/// When the input is refused; the state is then as it was.
pub fn advance_unless(
    plan: &Plan,
    state: &mut State,
    input: Input,
    cx: &Context<'_>,
    puts_off: &dyn Fn(&Resolved) -> bool,
) -> Result<Transition, Refused> {
    let (draw, transition) = (Draw::new(cx), Transition::default());
    let mut machine = Machine { plan, state, cx, draw, written: 0, transition, puts_off, held: Vec::new() };
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
    /// Bytes of values in the transition's events: see [`Machine::spend`].
    written: usize,
    transition: Transition,
    /// Whether targets are to be waited for.
    puts_off: &'m dyn Fn(&Resolved) -> bool,
    /// The lists of steps that wait for theirs.
    held: Vec<FrameId>,
}

impl<'m> Machine<'m> {
    fn input(&mut self, input: Input) -> Result<(), Refused> {
        match input {
            Input::Start(start) => self.start(*start),
            Input::Admitted => self.admitted(),
            Input::CommandFinished { command_id, end } => self.command_finished(command_id, *end)?,
            Input::Answer { prompt_id, response, by, fields } => self.answer(prompt_id, &response, &by, &fields)?,
            Input::WorkerOnline { worker_id } => self.worker_online(worker_id),
            Input::CommandStranded { command_id, worker_id } => self.command_stranded(command_id, worker_id),
            Input::ChildFinished { execution_id, status, error, state } => {
                self.child_finished(execution_id, status, error, state);
            }
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
        self.transition.effects.extend(abandoned(self.state, &entry));
        apply(self.state, &entry).expect("an event that was just decided fits the state it was decided on");
        self.transition.effects.extend(following(self.state, &entry));
        self.transition.entries.push(entry);
    }

    fn start(&mut self, start: Start) {
        if self.state.origin.is_some() {
            return;
        }
        let Start { workflow, definition, mut params, targets, started_by, trigger, parent, queue } = start;
        // Whoever embeds the engine may have left them in.
        drop(take_secrets(&self.plan.workflow.params, &mut params));
        let format = FORMAT;
        self.emit(Event::ExecutionCreated {
            format,
            workflow,
            definition,
            params,
            targets,
            started_by,
            trigger,
            parent,
        });
        match (queue, self.plan.workflow.timeout) {
            (Some(limit), _) => self.emit(Event::ExecutionQueued { limit }),
            (None, Some(timeout)) => self.emit(Event::ExecutionStarted { deadline: Some(self.after(timeout)) }),
            (None, None) => {}
        }
    }

    fn admitted(&mut self) {
        if self.state.queued && self.state.finished.is_none() {
            let deadline = self.plan.workflow.timeout.map(|timeout| self.after(timeout));
            self.emit(Event::ExecutionStarted { deadline });
        }
    }

    fn recovered(&mut self) {
        let running = self.state.outstanding().len();
        if running > 0 && self.state.finished.is_none() {
            self.emit(Event::ServerRestartRecovery { running_commands: u32::try_from(running).unwrap_or(u32::MAX) });
        }
    }

    fn refuse_ended(&self) -> Result<(), Refused> {
        self.state.finished.map_or(Ok(()), |(_, status)| Err(Refused::Ended { status }))
    }

    /// Everything that is due at this time.
    fn timer(&mut self) {
        let now = self.cx.now;
        if self.state.queued || self.state.finished.is_some() {
            return;
        }
        if self.state.deadline.is_some_and(|deadline| deadline <= now) && self.state.phase == Phase::Main {
            return self.out_of_time();
        }
        self.not_stopped();
        let due = |active: &Active| active.wake_at().is_some_and(|at| at <= now);
        let steps: Vec<StepRef> =
            self.state.active().filter(|(_, active)| due(active)).map(|(_, active)| active.at.clone()).collect();
        for at in steps {
            // A step that stood in another one may be gone with it by now.
            let active = self.state.frames.get(&at.frame).and_then(|frame| frame.active.as_ref());
            if active.is_some_and(|active| active.is_out_of_time(now)) {
                self.step_out_of_time(at);
                continue;
            }
            match active.map(|active| &active.run) {
                Some(Run::Prompt(_)) => self.prompt_timed_out(&at),
                Some(Run::Wait { .. }) => self.wait_over(&at),
                Some(Run::Execute(_)) => self.execute_due(&at),
                Some(Run::Started | Run::Frames(_) | Run::Child { .. }) | None => {}
            }
        }
    }

    /// What was told to stop and goes on is not waited for any longer.
    fn not_stopped(&mut self) {
        let now = self.cx.now;
        let late: Vec<Stopping> =
            self.state.stopping.iter().filter(|stopping| stopping.until <= now).cloned().collect();
        for Stopping { at, what, .. } in late {
            let waited_ms = u64::try_from(STOP_WAIT.as_millis()).unwrap_or(u64::MAX);
            let (worker, command_id, execution_id) = match what {
                Given::Command(command) => (Some(command.worker.worker), Some(command.command_id), None),
                Given::Child(id) => (None, None, Some(id)),
            };
            self.emit(Event::NotStopped { at, worker, command_id, execution_id, waited_ms });
        }
    }

    /// Goes on until every frame waits for something or the execution has ended.
    fn run(&mut self) {
        while self.state.origin.is_some() && self.state.finished.is_none() && !self.state.queued {
            let mut idle = self.state.frames.iter().filter(|(_, frame)| frame.active.is_none());
            // Frames that are over first: their steps may have to end others.
            let over = idle.clone().find(|(_, frame)| frame.is_over() && frame.owner.is_some()).map(|(id, _)| *id);
            if let Some(frame) = over {
                self.frame_over(frame);
            } else if let Some(frame) =
                idle.find(|(id, frame)| !frame.is_over() && !self.is_held(**id)).map(|(id, _)| *id)
            {
                self.run_frame(frame);
            } else if self.state.stopping.is_empty() && self.current().is_some_and(|frame| frame.is_over()) {
                self.phase_over();
            } else {
                return;
            }
        }
    }

    /// Whether a list of steps cannot go on now.
    fn is_held(&self, frame: FrameId) -> bool {
        self.state.is_stopping(frame) || self.held.contains(&frame)
    }

    /// Takes the next step of a frame that has no active one.
    fn run_frame(&mut self, frame: FrameId) {
        let Some((position, list)) = self.state.frames.get(&frame).map(|f| (f.position.clone(), f.list)) else {
            return;
        };
        let id = match position {
            Position::Ended | Position::Failed => return,
            Position::At(id) => id,
            Position::Start => match self.plan.first(list) {
                Some(id) => id.clone(),
                None => return self.give_up("the definition has no such list of steps".to_owned()),
            },
        };
        let (Some(planned), Some(at)) = (self.plan.step(&id), self.plan.reference(frame, &id)) else {
            return self.give_up(format!("the definition has no step `{id}`"));
        };
        let started = self.state.steps_started - self.state.steps_before;
        if started >= self.plan.workflow.max_steps {
            return self.give_up(format!("{started} steps have started: the workflow loops (max_steps)"));
        }
        match self.holds(planned, &at) {
            Ok(true) if self.is_put_off(planned, &at) => {
                self.held.push(frame);
                self.transition.put_off = true;
            }
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
            PlannedKind::Parallel { branches, .. } => {
                self.step_started(&at);
                self.parallel(&at, branches);
            }
            PlannedKind::Foreach(foreach) => {
                self.step_started(&at);
                self.foreach(at, foreach);
            }
            PlannedKind::Child { workflow, params } => {
                self.step_started(&at);
                self.child(at, workflow, params);
            }
        }
    }

    fn step_started(&mut self, at: &StepRef) {
        let key = (at.frame, at.step_id.clone());
        let run = self.state.steps.get(&key).map_or(0, |record| record.run) + 1;
        let timeout = self.plan.step(&at.step_id).and_then(|planned| planned.step.timeout);
        let deadline = timeout.map(|timeout| self.after(timeout));
        self.emit(Event::StepStarted { at: at.clone(), run, deadline });
    }

    /// Whether a step's condition holds; a step without one always runs.
    fn holds(&mut self, planned: &PlannedStep, at: &StepRef) -> Result<bool, EvalError> {
        planned.condition.as_ref().map_or(Ok(true), |condition| self.test(condition, at))
    }

    /// A condition's value; with `lenient_conditions`, one that fails is false and leaves a warning in the journal.
    fn test(&mut self, condition: &Expr, at: &StepRef) -> Result<bool, EvalError> {
        match condition.eval_bool(&self.scope(at, std::iter::once(condition))) {
            Err(error) if self.plan.workflow.lenient_conditions => {
                let (condition, message) = (condition.source().to_owned(), explain(&error));
                self.emit(Event::ConditionError { at: at.clone(), condition, message });
                Ok(false)
            }
            result => result,
        }
    }

    fn scope<'e>(&self, at: &StepRef, exprs: impl Iterator<Item = &'e Expr>) -> Scope {
        scope(self.state, at.frame, self.cx.now, None, exprs)
    }

    /// The same with other parameters than the execution's own.
    fn scope_with<'e>(&self, at: &StepRef, params: &Arc<Value>, exprs: impl Iterator<Item = &'e Expr>) -> Scope {
        scope(self.state, at.frame, self.cx.now, Some(params), exprs)
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

    /// A step has had its time: what it runs is given up, and it fails.
    fn step_out_of_time(&mut self, at: StepRef) {
        self.end_frames_below(at.frame);
        let timeout = self.plan.step(&at.step_id).and_then(|planned| planned.step.timeout);
        let limit = timeout.map(pulse_core::duration::display).unwrap_or_default();
        self.fail_step(at, format!("it did not end within {limit} (timeout)"));
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

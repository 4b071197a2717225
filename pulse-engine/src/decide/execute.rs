//! `execute`: a command on one or many workers, with its roll-out, retries and what counts as failure.

use super::Machine;
use crate::fleet::{FleetWorker, Resolved};
use crate::input::Refused;
use crate::plan::{PlannedExecute, PlannedKind, PlannedStep};
use crate::state::{ExecuteRun, Run, Target, TargetState};
use pulse_core::command::{CommandEnd, CommandSpec, Outcome};
use pulse_core::event::{Event, StepRef, WorkerRef};
use pulse_core::ids::{Attempt, CommandId, FrameId, WorkerId};
use pulse_core::status::CommandStatus;
use pulse_core::workflow::{Backoff, OnError, OnOffline, Retry};
use std::sync::Arc;
use std::time::Duration;

impl<'m> Machine<'m> {
    /// Whether a step's workers are on their way, and it waits for them.
    pub(super) fn is_put_off(&self, planned: &PlannedStep, at: &StepRef) -> bool {
        let PlannedKind::Execute(execute) = &planned.kind else { return false };
        let resolved = self.selectors(at, execute).ok().and_then(|selector| self.cx.fleet.resolve(&selector).ok());
        resolved.is_some_and(|resolved| (self.puts_off)(&resolved))
    }

    /// Begins the roll-out.
    pub(super) fn execute(&mut self, at: StepRef, planned: &PlannedExecute) {
        let selector = match self.selectors(&at, planned) {
            Ok(selector) => selector,
            Err(error) => return self.fail_step(at, error),
        };
        let resolved = match self.cx.fleet.resolve(&selector) {
            Ok(resolved) => resolved,
            Err(error) => return self.fail_step(at, error.to_string()),
        };
        let Resolved { online, offline, lacks_any } = resolved;
        for (worker, reason) in &offline {
            let (at, worker, reason) = (at.clone(), worker.clone(), (*reason).to_owned());
            self.emit(Event::WorkerOffline { at, worker, reason });
        }
        let mut awaited = Vec::new();
        let mut await_until = None;
        let mut await_any = false;
        match (planned.execute.on_offline, offline.first()) {
            (OnOffline::Fail, Some((worker, reason))) => {
                return self.fail_step(at, format!("worker `{}` is {reason}", worker.worker));
            }
            (OnOffline::Wait(wait_for), Some(_)) => {
                awaited = offline.into_iter().map(|(worker, _)| worker).collect();
                await_until = Some(self.after(wait_for));
            }
            // Nobody is online for `any`: whoever comes first will do.
            (OnOffline::Wait(wait_for), None) if online.is_empty() && lacks_any => {
                awaited = self.cx.fleet.workers.iter().map(FleetWorker::reference).collect();
                await_until = Some(self.after(wait_for));
                await_any = true;
            }
            _ => {}
        }
        if online.is_empty() && awaited.is_empty() && !await_any {
            self.emit(Event::NoWorkers { at: at.clone(), selector: selector.clone() });
            return self.fail_step(at, format!("no worker is online for `{}`", selector.join(", ")));
        }
        match self.command(&at, planned) {
            Ok((spec, command)) => {
                self.emit(Event::TargetsResolved {
                    at: at.clone(),
                    selector,
                    targets: online,
                    awaited,
                    await_until,
                    await_any,
                });
                self.roll_out(&at, planned, Some((Arc::new(spec), command.into())));
            }
            Err(error) => self.fail_step(at, error),
        }
    }

    /// The step's targets: its own, those the execution was started with, or the document's. With none, `all`.
    fn selectors(&self, at: &StepRef, planned: &PlannedExecute) -> Result<Vec<String>, String> {
        let given = self.state.origin.as_ref().and_then(|origin| origin.targets.clone());
        let templates = match (&planned.targets, given) {
            (Some(own), _) => own,
            (None, Some(given)) => return Ok(given),
            (None, None) => match &self.plan.targets {
                Some(templates) => templates,
                None => return Ok(vec!["all".to_owned()]),
            },
        };
        self.texts(at, templates).map_err(|error| format!("targets: {error}"))
    }

    fn execute_run(&self, at: &StepRef) -> Option<&ExecuteRun> {
        match &self.state.frames.get(&at.frame)?.active.as_ref()?.run {
            Run::Execute(run) => Some(run),
            _ => None,
        }
    }

    fn planned_execute(&self, at: &StepRef) -> Option<&'m PlannedExecute> {
        match &self.plan.step(&at.step_id)?.kind {
            PlannedKind::Execute(planned) => Some(planned),
            _ => None,
        }
    }

    /// Starts as many targets as the strategy lets run, and ends the step when nothing is left to do.
    fn roll_out(&mut self, at: &StepRef, planned: &PlannedExecute, first: Option<(Arc<CommandSpec>, Arc<str>)>) {
        let Some(run) = self.execute_run(at) else { return };
        // A target that was waited for may come before anything was sent: then the command is made now.
        let command = match first.or_else(|| run.command.clone()) {
            Some(command) => Some(command),
            None => match self.command(at, planned) {
                Ok((spec, display)) => Some((Arc::new(spec), display.into())),
                Err(error) => return self.fail_step(at.clone(), error),
            },
        };
        let Some(run) = self.execute_run(at) else { return };
        let total = run.targets.len();
        let width = planned.execute.strategy.parallel.of(total);
        let mut failures = 0;
        let (mut busy, mut awaited) = (0, usize::from(run.awaits_any()));
        let mut waiting: Vec<WorkerRef> = Vec::new();
        for target in &run.targets {
            match &target.state {
                TargetState::Waiting => waiting.push(target.worker.clone()),
                TargetState::Awaited if self.cx.fleet.is_usable(target.worker.worker_id) => {
                    waiting.push(target.worker.clone());
                }
                TargetState::Awaited => awaited += 1,
                TargetState::Running { .. } | TargetState::Retry { .. } => busy += 1,
                TargetState::Failed(_) => failures += 1,
                TargetState::Succeeded | TargetState::Skipped => {}
            }
        }
        let borne = planned.execute.strategy.max_failures.of(total);
        if failures > borne && (!waiting.is_empty() || awaited > 0) {
            let failures = u32::try_from(failures).unwrap_or(u32::MAX);
            waiting.clear();
            awaited = 0;
            let unstarted = |target: &&Target| matches!(target.state, TargetState::Waiting | TargetState::Awaited);
            let not_started = run.targets.iter().filter(unstarted).map(|target| target.worker.clone()).collect();
            self.emit(Event::RolloutStopped { at: at.clone(), failures, not_started });
        }
        if let Some((spec, display)) = command {
            for worker in waiting.drain(..).take(width.saturating_sub(busy)) {
                busy += 1;
                self.send(at, worker, Attempt::FIRST, &spec, &display);
            }
        }
        if busy == 0 && awaited == 0 {
            self.roll_out_over(at, planned, borne);
        }
    }

    /// A worker is online: steps that waited for it go on.
    pub(super) fn worker_online(&mut self, worker_id: WorkerId) {
        let awaits = |run: &Run| match run {
            Run::Execute(run) => {
                let is_it = |t: &Target| t.worker.worker_id == worker_id && t.state == TargetState::Awaited;
                run.awaits_any() || run.targets.iter().any(is_it)
            }
            _ => false,
        };
        let steps: Vec<StepRef> = self
            .state
            .active()
            .filter(|(_, active)| awaits(&active.run))
            .map(|(_, active)| active.at.clone())
            .collect();
        for at in steps {
            if let Some(planned) = self.planned_execute(&at) {
                match self.execute_run(&at).is_some_and(|run| run.await_any) {
                    true => self.found_any(&at, planned, worker_id),
                    false => self.roll_out(&at, planned, None),
                }
            }
        }
    }

    /// The first worker has come for a step that wants any: it is the one, and nobody else is waited for.
    fn found_any(&mut self, at: &StepRef, planned: &PlannedExecute, worker_id: WorkerId) {
        let is_it = |worker: &&FleetWorker| worker.id == worker_id && self.cx.fleet.is_usable(worker_id);
        let Some(worker) = self.cx.fleet.workers.iter().find(is_it).map(FleetWorker::reference) else { return };
        let selector = vec!["any".to_owned()];
        let (targets, awaited, await_until, await_any) = (vec![worker], Vec::new(), None, false);
        self.emit(Event::TargetsResolved { at: at.clone(), selector, targets, awaited, await_until, await_any });
        self.roll_out(at, planned, None);
    }

    /// A command waits for a worker that is given no work: it goes to another one where any will do, else it is said once
    /// that it waits. Nothing to be said when it does not wait there any more, or the worker is back.
    pub(super) fn command_stranded(&mut self, command_id: CommandId, worker_id: WorkerId) {
        let Some((at, run, target, attempt)) = self.state.active().find_map(|(_, active)| {
            let Run::Execute(run) = &active.run else { return None };
            let target = run.targets.iter().find(|target| target.worker.worker_id == worker_id)?;
            match target.state {
                TargetState::Running { command_id: id, attempt } if id == command_id => {
                    Some((active.at.clone(), run, target, attempt))
                }
                _ => None,
            }
        }) else {
            return;
        };
        let worker = self.cx.fleet.workers.iter().find(|worker| worker.id == worker_id);
        let Some(reason) = worker.and_then(FleetWorker::unusable).map(str::to_owned) else { return };
        let taken: Vec<WorkerId> = run.targets.iter().map(|target| target.worker.worker_id).collect();
        let (from, is_held) = (target.worker.clone(), run.held.contains(&command_id));
        match self.cx.fleet.instead(&run.selector, worker_id, &taken) {
            Some(worker) => self.emit(Event::CommandMoved { at, worker, from, command_id, attempt, reason }),
            None if is_held => {}
            None => self.emit(Event::CommandHeld { at, worker: from, command_id, attempt, reason }),
        }
    }

    /// What is due of an execute step: retries, and targets that were waited for long enough.
    pub(super) fn execute_due(&mut self, at: &StepRef) {
        self.retries_due(at);
        let now = self.cx.now;
        let Some(run) = self.execute_run(at) else { return };
        if run.await_until.is_none_or(|until| until > now) {
            return;
        }
        let late = |target: &&Target| target.state == TargetState::Awaited;
        let late: Vec<WorkerRef> = run.targets.iter().filter(late).map(|target| target.worker.clone()).collect();
        let Some(planned) = self.planned_execute(at) else { return };
        if late.is_empty() && run.awaits_any() {
            return self.fail_step(at.clone(), "no worker has come in time".to_owned());
        }
        if late.is_empty() {
            return;
        }
        for worker in late {
            self.emit(Event::WorkerStillOffline { at: at.clone(), worker });
        }
        self.roll_out(at, planned, None);
    }

    fn send(&mut self, at: &StepRef, worker: WorkerRef, attempt: Attempt, spec: &CommandSpec, display: &str) {
        let command_id = CommandId(self.draw.uuid());
        let (at, spec, command) = (at.clone(), spec.clone(), display.to_owned());
        self.emit(Event::CommandSent { at, worker, command_id, attempt, spec, command });
    }

    /// Every target has ended: so has the step.
    fn roll_out_over(&mut self, at: &StepRef, planned: &PlannedExecute, borne: usize) {
        let Some(run) = self.execute_run(at) else { return };
        let total = run.targets.len();
        let failed: Vec<String> = run
            .targets
            .iter()
            .filter_map(|target| match &target.state {
                TargetState::Failed(reason) => Some(format!("{}: {reason}", target.worker.worker)),
                _ => None,
            })
            .collect();
        if failed.len() > borne || failed.len() == total {
            let shown = failed.iter().take(5).cloned().collect::<Vec<_>>().join("; ");
            let more = if failed.len() > 5 { format!("; and {} more", failed.len() - 5) } else { String::new() };
            let mut error = format!("{} of {total} failed: {shown}{more}", failed.len());
            // A `parse` step behind this one would have its turn.
            if self.continues(at)
                && let Err(unread) = self.read_own(at, planned)
            {
                error = format!("{error}; {unread}");
            }
            return self.fail_step(at.clone(), error);
        }
        match self.read_own(at, planned) {
            Ok(()) => self.complete_step(at.clone(), None),
            Err(error) => self.fail_step(at.clone(), error),
        }
    }

    /// Whether the step behind this one is next even when this one fails.
    fn continues(&self, at: &StepRef) -> bool {
        self.plan.step(&at.step_id).is_some_and(|planned| planned.step.on_error == OnError::Continue)
    }

    /// The step's own `parse`: what its commands printed becomes values. Nothing is read where none has ended.
    fn read_own(&mut self, at: &StepRef, planned: &PlannedExecute) -> Result<(), String> {
        let ended =
            self.state.steps.get(&(at.frame, at.step_id.clone())).is_some_and(|record| !record.results.is_empty());
        match &planned.execute.parse {
            Some(format) if ended => self.read(at, at.step_id.clone(), format, None),
            _ => Ok(()),
        }
    }

    /// A command ended. What comes after its step has gone on is kept and changes nothing.
    pub(super) fn command_finished(&mut self, command_id: CommandId, end: CommandEnd) -> Result<(), Refused> {
        let Some((step, record)) = self.state.command(command_id) else {
            return Err(Refused::UnknownCommand(command_id));
        };
        // A worker repeats a result until it is acknowledged. One that was given up as lost may still come.
        match record.status {
            CommandStatus::Lost if end.outcome == Outcome::Lost => return Ok(()),
            _ if record.is_owed() => {}
            _ => return Ok(()),
        }
        let (worker, attempt, step) = (record.worker.clone(), record.attempt, step.clone());
        let frame = self.state.commands.get(&command_id).map_or(FrameId::ROOT, |(frame, _)| *frame);
        let active = self.state.frames.get(&frame).and_then(|frame| frame.active.as_ref());
        let running = active.filter(|active| runs(&active.run, command_id)).map(|active| active.at.clone());
        let reference = || self.plan.reference(frame, &step);
        let Some(at) = running.clone().or_else(reference) else {
            return Err(Refused::UnknownCommand(command_id));
        };
        let planned = self.planned_execute(&at);
        let success = planned.is_some_and(|planned| end.succeeded(&planned.execute.success_codes));
        let late = running.is_none();
        let retry = planned.filter(|_| !success && !late).and_then(|planned| retry_number(planned, attempt, &end));
        let result =
            Event::CommandResult { at: at.clone(), worker: worker.clone(), command_id, attempt, success, end, late };
        self.emit(result);
        let (Some(planned), false) = (planned, late) else { return Ok(()) };
        if let Some(number) = retry {
            let delay = self.delay(&planned.execute.retry, number);
            self.retry(&at, worker, command_id, attempt, delay);
        }
        self.roll_out(&at, planned, None);
        Ok(())
    }

    fn retry(&mut self, at: &StepRef, worker: WorkerRef, command_id: CommandId, attempt: Attempt, delay: Duration) {
        let (attempt, retry_at) = (attempt.next(), self.after(delay));
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        let (at, target) = (at.clone(), worker.clone());
        self.emit(Event::CommandRetry { at: at.clone(), worker: target, command_id, attempt, retry_at, delay_ms });
        if delay.is_zero() {
            self.send_again(&at, worker, attempt);
        }
    }

    fn send_again(&mut self, at: &StepRef, worker: WorkerRef, attempt: Attempt) {
        if let Some((spec, display)) = self.execute_run(at).and_then(|run| run.command.clone()) {
            self.send(at, worker, attempt, &spec, &display);
        }
    }

    /// Sends every retry of a step that is due.
    fn retries_due(&mut self, at: &StepRef) {
        let now = self.cx.now;
        let Some(run) = self.execute_run(at) else { return };
        let due: Vec<(WorkerRef, Attempt)> = run
            .targets
            .iter()
            .filter_map(|target| match target.state {
                TargetState::Retry { attempt, at } if at <= now => Some((target.worker.clone(), attempt)),
                _ => None,
            })
            .collect();
        for (worker, attempt) in due {
            self.send_again(at, worker, attempt);
        }
    }

    /// How long before the `number`th retry, from 1. With jitter, drawn between half of it and all of it.
    fn delay(&mut self, retry: &Retry, number: u32) -> Duration {
        let factor = match retry.backoff {
            Backoff::Fixed => 1,
            Backoff::Exponential => 1_u32.checked_shl(number - 1).unwrap_or(u32::MAX),
        };
        let delay = retry.delay.saturating_mul(factor).min(retry.max_delay.max(retry.delay));
        if !retry.jitter {
            return delay;
        }
        let share = (self.draw.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        Duration::from_millis((delay.as_millis() as f64 * (0.5 + share / 2.0)) as u64)
    }
}

fn runs(run: &Run, id: CommandId) -> bool {
    match run {
        Run::Execute(run) => run
            .targets
            .iter()
            .any(|target| matches!(target.state, TargetState::Running { command_id, .. } if command_id == id)),
        _ => false,
    }
}

/// Which retry, from 1, follows a failed attempt; `None` when none does. A lost command is tried again only where the
/// definition says so, and then at least once.
fn retry_number(planned: &PlannedExecute, attempt: Attempt, end: &CommandEnd) -> Option<u32> {
    let retry = &planned.execute.retry;
    let allowed = match end.outcome {
        Outcome::Lost if planned.execute.retry_lost => retry.retries.max(1),
        Outcome::Lost | Outcome::Cancelled => 0,
        Outcome::Exited if !retry.on.is_empty() && !end.exit_code.is_some_and(|code| retry.on.contains(&code)) => 0,
        Outcome::Exited | Outcome::NotStarted | Outcome::TimedOut => retry.retries,
    };
    (attempt.0 <= allowed).then_some(attempt.0)
}

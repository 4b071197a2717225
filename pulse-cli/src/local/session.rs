//! Drives the executions of a local run, the file's own and its children's, and tells the view what happens.

use super::here::{Here, Told};
use super::library::Library;
use crate::error::Error;
use crate::follow::{Input as Lines, Questions, Reply, View};
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::event::{Event, ParentRef, WorkflowRef};
use pulse_core::ids::{ExecutionId, WorkflowId};
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_core::text::{one_line, shorten};
use pulse_core::time::Timestamp;
use pulse_core::workflow::{resolve_child_params, take_secrets};
use pulse_engine::state::ChildRecord;
use pulse_engine::{Context, Effect, Input, Plan, Refused, Start, State, advance};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, interval, sleep, sleep_until, timeout_at};

/// After so much silence an unfinished line is shown.
const IDLE: Duration = Duration::from_millis(150);
const TICK: Duration = Duration::from_secs(1);
/// A question that nobody can answer is waited for no longer than this: its time limit may say what then.
const NEAR: Duration = Duration::from_secs(60);
/// Nothing sleeps longer without looking at the clock again.
const LONGEST_SLEEP: Duration = Duration::from_secs(3_600);
/// For what was killed to be gone.
const KILLED: Duration = Duration::from_secs(5);

/// How a local run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The execution has ended.
    Finished(ExecutionStatus),
    /// A question could not be answered: which, in words.
    Unanswered(String),
    /// It was killed.
    Killed,
}

/// One of the executions.
struct Execution {
    plan: Arc<Plan>,
    state: State,
    secrets: BTreeMap<String, String>,
    /// The execution whose step runs it.
    parent: Option<ExecutionId>,
}

/// What happened next.
enum Heard {
    Told(Told),
    Line(Option<String>),
    Signal(&'static str),
    Due,
    Idle,
    Tick,
}

/// What asks the process to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> Result<Self, Error> {
        let of = |kind| signal(kind).map_err(|error| Error::input(format!("signals cannot be taken: {error}")));
        Ok(Self {
            interrupt: of(SignalKind::interrupt())?,
            terminate: of(SignalKind::terminate())?,
            hang_up: of(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "Ctrl-C",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hang_up.recv() => "SIGHUP",
        }
    }
}

/// A local run.
pub struct Session<'a> {
    library: Library,
    here: Here,
    root: ExecutionId,
    executions: BTreeMap<ExecutionId, Execution>,
    /// What is to be decided, in order.
    pending: VecDeque<(ExecutionId, Input)>,
    view: &'a mut dyn View,
    questions: Questions,
    /// Where answers come from; none once it has ended.
    lines: Option<Lines>,
    /// The person at the terminal.
    by: String,
    ended: Option<ExecutionStatus>,
    unanswered: Option<String>,
    /// Whether the end has been asked for.
    aborted: bool,
}

impl<'a> Session<'a> {
    /// A session that has not begun.
    pub fn new(library: Library, here: Here, by: String, view: &'a mut dyn View, lines: Lines) -> Self {
        Self {
            library,
            here,
            root: ExecutionId(uuid::Uuid::now_v7()),
            executions: BTreeMap::new(),
            pending: VecDeque::new(),
            view,
            questions: Questions::default(),
            lines: Some(lines),
            by,
            ended: None,
            unanswered: None,
            aborted: false,
        }
    }

    /// Runs a workflow to its end. Parameters are complete and checked.
    ///
    /// # Errors
    /// When nothing can be written. What runs is killed then.
    pub async fn run(
        mut self,
        name: String,
        plan: Arc<Plan>,
        params: Map<String, Value>,
        targets: Option<Vec<String>>,
    ) -> Result<Ended, Error> {
        let start = self.start(name, params, targets, Trigger::Api, None);
        self.begin(self.root, plan, start);
        let ended = self.follow().await;
        if !matches!(ended, Ok(Ended::Finished(_) | Ended::Unanswered(_))) {
            self.kill().await;
        }
        self.view.flush()?;
        ended
    }

    fn start(
        &self,
        name: String,
        params: Map<String, Value>,
        targets: Option<Vec<String>>,
        trigger: Trigger,
        parent: Option<ParentRef>,
    ) -> Start {
        // Version 0: a file, stored nowhere.
        let workflow = Some(WorkflowRef { id: WorkflowId(uuid::Uuid::now_v7()), name, version: 0 });
        Start { workflow, definition: None, params, targets, started_by: self.by.clone(), trigger, parent, queue: None }
    }

    fn begin(&mut self, id: ExecutionId, plan: Arc<Plan>, mut start: Start) {
        let secrets = take_secrets(&plan.workflow.params, &mut start.params);
        let parent = start.parent.as_ref().map(|parent| parent.execution_id);
        self.executions.insert(id, Execution { plan, state: State::new(id), secrets, parent });
        self.pending.push_back((id, Input::Start(Box::new(start))));
    }

    async fn follow(&mut self) -> Result<Ended, Error> {
        let mut signals = Signals::new()?;
        let mut ticks = interval(TICK);
        let mut quiet = true;
        loop {
            while let Some((id, input)) = self.pending.pop_front() {
                self.take(id, input)?;
            }
            if let Some(ended) = self.end() {
                return Ok(ended);
            }
            self.ask()?;
            if !self.pending.is_empty() {
                continue;
            }
            let due = self.wake_at().map(|at| Instant::now() + at.since(now()).min(LONGEST_SLEEP));
            if self.lines.is_none() && self.give_up_on_questions(due) {
                continue;
            }
            self.view.flush()?;
            let heard = tokio::select! {
                told = self.here.told() => Heard::Told(told),
                line = Lines::line_of(&mut self.lines) => Heard::Line(line),
                name = signals.next() => Heard::Signal(name),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => Heard::Due,
                () = sleep(IDLE), if !quiet => Heard::Idle,
                // Also looks at the clock again, which may have been set.
                _ = ticks.tick() => Heard::Tick,
            };
            match heard {
                Heard::Told(told) => {
                    quiet = false;
                    self.told(told)?;
                }
                Heard::Line(line) => self.line(line)?,
                Heard::Signal(_) if self.aborted => return Ok(Ended::Killed),
                Heard::Signal(name) => {
                    self.aborted = true;
                    self.view.say("aborting: what runs is stopped, then on_failure and finally run; Ctrl-C kills")?;
                    self.abort(None, name);
                }
                Heard::Due => self.due(),
                Heard::Idle => {
                    quiet = true;
                    self.view.idle()?;
                }
                Heard::Tick => self.view.tick()?,
            }
        }
    }

    /// How it ended, once all executions have and nothing runs any more.
    fn end(&mut self) -> Option<Ended> {
        let all = self.executions.values().all(|execution| execution.state.finished.is_some());
        let status = self.ended.filter(|_| all && self.here.is_idle())?;
        Some(match self.unanswered.take() {
            Some(question) => Ended::Unanswered(question),
            None => Ended::Finished(status),
        })
    }

    /// Decides one input, shows what follows and does it.
    fn take(&mut self, id: ExecutionId, input: Input) -> Result<(), Error> {
        let fleet = self.here.fleet();
        let Some(execution) = self.executions.get_mut(&id) else { return Ok(()) };
        let entropy = uuid::Uuid::new_v4().as_u64_pair().0;
        let cx = Context { now: now(), entropy, fleet: &fleet };
        let over = execution.state.finished.is_some();
        let transition = match advance(&execution.plan, &mut execution.state, input, &cx) {
            Ok(transition) => transition,
            Err(refused @ (Refused::NotAnOption { .. } | Refused::BadFields(_))) => {
                self.questions.again();
                return self.view.say(&refused.to_string());
            }
            // It has ended meanwhile.
            Err(_) => return Ok(()),
        };
        for entry in &transition.entries {
            self.questions.observe(id, entry);
            match (over, id == self.root) {
                // As a follower of a server's execution leaves at its end.
                (true, _) => {}
                (false, true) => self.view.entry(entry)?,
                (false, false) => self.view.child_entry(id, entry)?,
            }
            if let (Event::ExecutionFinished { status, .. }, true) = (&entry.event, id == self.root) {
                self.ended = Some(*status);
            }
        }
        for effect in transition.effects {
            self.act(id, effect);
        }
        Ok(())
    }

    fn act(&mut self, id: ExecutionId, effect: Effect) {
        match effect {
            Effect::Dispatch(command) => {
                let Some(execution) = self.executions.get(&id) else { return };
                let command_id = command.command_id;
                if let Err(missing) = self.here.dispatch(id, command, &execution.secrets) {
                    let reason = format!("the secret `{missing}` has no value");
                    let end = Box::new(CommandEnd::without_process(Outcome::NotStarted, reason));
                    self.pending.push_back((id, Input::CommandFinished { command_id, end }));
                }
            }
            Effect::Cancel { command_id, reason, .. } => {
                if let Some(end) = self.here.cancel(command_id, reason) {
                    self.pending.push_back((id, Input::CommandFinished { command_id, end: Box::new(end) }));
                }
            }
            Effect::StartChild(child) => self.start_child(id, child),
            Effect::AbortChild { execution_id, reason } => {
                let abort = Input::Abort { by: "its parent".to_owned(), reason: Some(reason) };
                self.pending.push_back((execution_id, abort));
            }
            Effect::Finish { status } => self.tell_parent(id, status),
            // Timers are looked for in the states; the one worker is always there; the view has seen the rest.
            Effect::SetTimer { .. }
            | Effect::AwaitWorker { .. }
            | Effect::AwaitAny
            | Effect::Withdraw { .. }
            | Effect::OpenPrompt { .. }
            | Effect::ClosePrompt { .. }
            | Effect::Notify { .. } => {}
        }
    }

    fn start_child(&mut self, parent: ExecutionId, child: ChildRecord) {
        let execution_id = child.execution_id;
        let empty = Map::new();
        let given = child.params.as_object().unwrap_or(&empty);
        let resolved = self.library.find(&child.workflow).and_then(|(name, plan)| {
            let params = resolve_child_params(&plan.workflow.params, given)?;
            Ok((name, plan, params))
        });
        match resolved {
            Ok((name, plan, params)) => {
                let link = ParentRef { execution_id: parent, step_id: child.step, depth: child.depth };
                let start = self.start(name, params, None, Trigger::Workflow, Some(link));
                self.begin(execution_id, plan, start);
            }
            Err(error) => {
                let (status, state) = (ExecutionStatus::Failed, Map::new());
                let failed = Input::ChildFinished { execution_id, status, error: Some(error), state };
                self.pending.push_back((parent, failed));
            }
        }
    }

    fn tell_parent(&mut self, id: ExecutionId, status: ExecutionStatus) {
        let Some(execution) = self.executions.get(&id) else { return };
        let Some(parent) = execution.parent else { return };
        let state = execution.state.vars.as_object().cloned().unwrap_or_default();
        let error = execution.state.error.clone();
        self.pending.push_back((parent, Input::ChildFinished { execution_id: id, status, error, state }));
    }

    /// Puts the oldest open question, or answers it with a line that came before it.
    fn ask(&mut self) -> Result<(), Error> {
        let Some(lines) = &mut self.lines else { return Ok(()) };
        let reply = self.questions.ask(lines, self.view)?;
        self.reply(reply);
        Ok(())
    }

    fn line(&mut self, line: Option<String>) -> Result<(), Error> {
        let (Some(lines), Some(line)) = (&mut self.lines, line) else {
            self.lines = None;
            return Ok(());
        };
        let reply = self.questions.line(line, lines, self.view)?;
        self.reply(reply);
        Ok(())
    }

    fn reply(&mut self, reply: Option<Reply>) {
        let Some(Reply { execution, prompt, response, fields }) = reply else { return };
        let answer = Input::Answer { prompt_id: Some(prompt), response, by: self.by.clone(), fields };
        self.pending.push_back((execution, answer));
    }

    /// Ends what waits for an answer that can no longer come, once nothing else goes on: nothing runs, and nothing is due
    /// so soon that it is worth waiting for. True when it did.
    fn give_up_on_questions(&mut self, due: Option<Instant>) -> bool {
        let soon = due.is_some_and(|at| at <= Instant::now() + NEAR);
        let Some(prompt) = self.questions.current().filter(|_| self.here.is_idle() && !soon) else { return false };
        let (execution, step) = (prompt.execution, prompt.step.clone());
        let state = self.executions.get(&execution).map(|execution| &execution.state);
        let asks = state.and_then(|state| state.prompts().find(|(_, _, open)| open.id == prompt.id));
        let message = asks.map(|(_, _, open)| shorten(&one_line(open.message.trim()), 120)).unwrap_or_default();
        self.unanswered.get_or_insert(format!("step `{step}` asks \"{message}\", and standard input has ended"));
        self.abort(Some(execution), "no answer can come: standard input has ended");
        true
    }

    /// Ends the whole, or what is left of it; a child is ended by its parent where that still runs.
    fn abort(&mut self, only: Option<ExecutionId>, reason: &str) {
        let runs = |id: &ExecutionId| self.executions.get(id).is_some_and(|e| e.state.finished.is_none());
        let which: Vec<ExecutionId> = match (runs(&self.root), only) {
            (true, _) => vec![self.root],
            (false, Some(id)) => vec![id],
            (false, None) => self.executions.keys().copied().filter(runs).collect(),
        };
        for id in which {
            let (by, reason) = (self.by.clone(), Some(reason.to_owned()));
            self.pending.push_back((id, Input::Abort { by, reason }));
        }
    }

    fn told(&mut self, told: Told) -> Result<(), Error> {
        match told {
            Told::Printed { execution, chunk } => {
                let over = self.executions.get(&execution).is_none_or(|e| e.state.finished.is_some());
                match execution == self.root {
                    _ if over => Ok(()),
                    true if self.view.wants_output() => self.view.output(&chunk),
                    false if self.view.wants_output() => self.view.child_output(execution, &chunk),
                    _ => Ok(()),
                }
            }
            Told::Ended { execution, command_id, end } => {
                self.pending.push_back((execution, Input::CommandFinished { command_id, end }));
                Ok(())
            }
        }
    }

    /// The earliest time at which something is due in any execution.
    fn wake_at(&self) -> Option<Timestamp> {
        self.executions.values().filter_map(|execution| execution.state.wake_at()).min()
    }

    fn due(&mut self) {
        let now = now();
        let due = |execution: &Execution| execution.state.wake_at().is_some_and(|at| at <= now);
        let which = self.executions.iter().filter(|(_, execution)| due(execution)).map(|(id, _)| *id);
        self.pending.extend(which.map(|id| (id, Input::Timer)));
    }

    /// Kills what runs and waits until it is gone, but not for ever.
    async fn kill(&mut self) {
        self.here.kill_all();
        let deadline = Instant::now() + KILLED;
        while !self.here.is_idle() && timeout_at(deadline, self.here.told()).await.is_ok() {}
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

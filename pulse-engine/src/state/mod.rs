//! What an execution is at a point of its journal. Built by [`crate::apply`] and by nothing else.

mod frame;
mod record;
mod run;
mod stopping;

pub use frame::{Frame, FrameResult, Position};
pub use record::{Answer, ChildRecord, CommandRecord, Origin, StepRecord, WorkerResult};
pub use run::{Active, ExecuteRun, FramesRun, OpenPrompt, Outstanding, Run, Target, TargetState};

pub use stopping::{Given, STOP_WAIT, Stopping};

use crate::input::Refused;
use indexmap::IndexMap;
use pulse_core::event::StepRef;
use pulse_core::ids::{CommandId, ExecutionId, FrameId, PromptId, Seq, StepId, WorkerId};
use pulse_core::status::ExecutionStatus;
use pulse_core::time::Timestamp;
use pulse_core::workflow::{Selector, parse_selectors};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// The state of an execution: the fold of its events.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Whose state it is.
    pub id: ExecutionId,
    /// The last event that is folded in.
    pub last_seq: Seq,
    /// What the first event said; `None` before it.
    pub origin: Option<Arc<Origin>>,
    /// The values that steps have read and set: always an object. The last answer is shown with them.
    pub vars: Arc<Value>,
    /// The last answer to a prompt: what expressions see as `prompt_response`.
    pub response: Option<Arc<str>>,
    /// Bytes that the values and the final states of children take together.
    pub(crate) values_bytes: usize,
    /// The frames that have not ended, and the root frame.
    pub frames: IndexMap<FrameId, Frame>,
    /// Every step that has started or was skipped, per frame, with its last run there.
    pub steps: IndexMap<(FrameId, StepId), StepRecord>,
    /// Which step each command belongs to.
    pub commands: HashMap<CommandId, (FrameId, StepId)>,
    /// Commands of earlier runs of their steps whose results may still come.
    pub earlier: HashMap<CommandId, CommandRecord>,
    /// How many steps have started.
    pub steps_started: u32,
    /// How many had when its phase began: each has its own budget.
    pub steps_before: u32,
    /// How many frames there have been.
    pub frames_started: u32,
    /// Which top-level list of steps runs.
    pub phase: Phase,
    /// Whether it waits its turn.
    pub queued: bool,
    /// When the main steps have to be over.
    pub deadline: Option<Timestamp>,
    /// The executions that its steps have started.
    pub children: Vec<ChildRecord>,
    /// What steps that were given up had begun, and what has not ended yet.
    pub stopping: Vec<Stopping>,
    /// Who answered which prompt, in order.
    pub answered: Vec<(PromptId, String)>,
    /// Who wants it to end, and why.
    pub abort: Option<(String, Option<String>)>,
    /// When its first step started.
    pub started_at: Option<Timestamp>,
    /// When and how it ended.
    pub finished: Option<(Timestamp, ExecutionStatus)>,
    /// Why it failed or was aborted.
    pub error: Option<String>,
}

/// Which top-level list of steps runs, in which frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The main steps, in the root frame.
    Main,
    /// What follows a failure or an abort.
    OnFailure(FrameId),
    /// What always comes last.
    Finally(FrameId),
}

impl State {
    /// The state before the first event.
    pub fn new(id: ExecutionId) -> Self {
        Self {
            id,
            last_seq: Seq(0),
            origin: None,
            vars: Arc::new(Value::Object(Map::new())),
            response: None,
            values_bytes: 0,
            frames: IndexMap::new(),
            steps: IndexMap::new(),
            commands: HashMap::new(),
            earlier: HashMap::new(),
            steps_started: 0,
            steps_before: 0,
            frames_started: 0,
            phase: Phase::Main,
            queued: false,
            deadline: None,
            children: Vec::new(),
            stopping: Vec::new(),
            answered: Vec::new(),
            abort: None,
            started_at: None,
            finished: None,
            error: None,
        }
    }

    /// Where the execution stands.
    pub fn status(&self) -> ExecutionStatus {
        match self.finished {
            Some((_, status)) => status,
            None if self.queued || self.origin.is_none() => ExecutionStatus::Queued,
            None if self.is_waiting() => ExecutionStatus::Waiting,
            None => ExecutionStatus::Running,
        }
    }

    /// Whether everything that goes on waits for a person or for a time.
    fn is_waiting(&self) -> bool {
        // A step that runs lists of steps waits when all of them do: its frames are looked at for themselves.
        let runs = self.frames.values().filter_map(|frame| frame.active.as_ref()).map(|active| &active.run);
        let mut leaves = runs.filter(|run| !matches!(run, Run::Frames(_))).peekable();
        leaves.peek().is_some() && leaves.all(|run| matches!(run, Run::Prompt(_) | Run::Wait { .. }))
    }

    /// The steps that have started and not ended.
    pub fn active(&self) -> impl Iterator<Item = (FrameId, &Active)> {
        self.frames.iter().filter_map(|(id, frame)| frame.active.as_ref().map(|active| (*id, active)))
    }

    /// The earliest time at which something is due.
    pub fn wake_at(&self) -> Option<Timestamp> {
        if self.finished.is_some() {
            return None;
        }
        let deadline = self.deadline.filter(|_| self.phase == Phase::Main && !self.queued);
        let stopping = self.stopping.iter().map(|stopping| stopping.until);
        self.active().filter_map(|(_, active)| active.wake_at()).chain(deadline).chain(stopping).min()
    }

    /// The open questions, with their frames and steps.
    pub fn prompts(&self) -> impl Iterator<Item = (FrameId, &StepRef, &OpenPrompt)> {
        self.active().filter_map(|(frame, active)| match &active.run {
            Run::Prompt(prompt) if self.finished.is_none() => Some((frame, &active.at, prompt)),
            _ => None,
        })
    }

    /// The open question that an answer is for: the one with this id, or the only one when the answer does not say.
    ///
    /// # Errors
    /// Why there is none.
    pub fn asked(&self, id: Option<PromptId>) -> Result<(&StepRef, &OpenPrompt), Refused> {
        let mut open = self.prompts().filter(|(.., prompt)| id.is_none_or(|id| id == prompt.id));
        match (open.next(), open.next()) {
            (Some(_), Some(_)) => Err(Refused::Ambiguous),
            (Some((_, at, prompt)), None) => Ok((at, prompt)),
            (None, _) => {
                let answered = self.answered.iter().rev().find(|(answered, _)| id.is_none_or(|id| id == *answered));
                Err(match (answered, self.finished) {
                    (Some((_, by)), _) => Refused::Answered { by: by.clone() },
                    (None, Some((_, status))) => Refused::Ended { status },
                    (None, None) => Refused::NoPrompt,
                })
            }
        }
    }

    /// The commands that are on their way or run.
    pub fn outstanding(&self) -> Vec<Outstanding> {
        let mut found = Vec::new();
        for (_, active) in self.active() {
            let Run::Execute(run) = &active.run else { continue };
            found.extend(run.outstanding(&active.at.step_id));
        }
        found
    }

    /// Whether a command that was not sent may go to another worker, should one have room: any would do for its step.
    pub fn may_move(&self, id: CommandId) -> bool {
        let is_any = |text: &String| parse_selectors(text).is_ok_and(|all| all.contains(&Selector::Any));
        let is_of = |run: &ExecuteRun| {
            let is_it = |t: &Target| matches!(t.state, TargetState::Running { command_id, .. } if command_id == id);
            run.targets.iter().any(is_it) && run.selector.iter().any(is_any)
        };
        self.execute_runs().any(is_of)
    }

    /// A command whose result may still come, or of the last run of a step; with the step.
    pub fn command(&self, id: CommandId) -> Option<(&StepId, &CommandRecord)> {
        let key = self.commands.get(&id)?;
        let last_run = self.steps.get(key)?.commands.iter().rev().find(|command| command.id == id);
        Some((&key.1, last_run.or_else(|| self.earlier.get(&id))?))
    }

    /// Whether a command of a worker is one of this execution.
    pub fn owns(&self, id: CommandId, worker: WorkerId) -> bool {
        self.command(id).is_some_and(|(_, command)| command.worker.worker_id == worker)
    }

    fn execute_runs(&self) -> impl Iterator<Item = &ExecuteRun> {
        self.active().filter_map(|(_, active)| match &active.run {
            Run::Execute(run) => Some(run),
            _ => None,
        })
    }

    /// Whether any worker's coming is waited for.
    pub fn awaits_any(&self) -> bool {
        self.finished.is_none() && self.execute_runs().any(ExecuteRun::awaits_any)
    }

    /// The workers whose coming is waited for.
    pub fn awaited(&self) -> Vec<WorkerId> {
        let awaited = |target: &&Target| target.state == TargetState::Awaited;
        self.execute_runs()
            .flat_map(|run| run.targets.iter().filter(awaited).map(|target| target.worker.worker_id))
            .collect()
    }

    /// The child executions that have been started and not ended.
    pub fn open_children(&self) -> impl Iterator<Item = &ChildRecord> {
        self.children.iter().filter(|child| child.status.is_none())
    }

    /// Why what a step runs is ended together with it, in words: who aborted the execution, and for what reason.
    pub fn given_up_for(&self) -> String {
        match &self.abort {
            Some((by, Some(reason))) => format!("aborted by {by}: {reason}"),
            Some((by, None)) => format!("aborted by {by}"),
            None => "its step was given up".to_owned(),
        }
    }

    /// Whether a step waits for the end of a child execution. It does no more once it was given up.
    pub fn waits_for_child(&self, child: ExecutionId) -> bool {
        let waits = |run: &Run| matches!(run, Run::Child { execution_id } if *execution_id == child);
        self.finished.is_none() && self.active().any(|(_, active)| waits(&active.run))
    }

    /// A frame and those in which it stands, from the inside out.
    pub(crate) fn chain(&self, frame: FrameId) -> Vec<FrameId> {
        let mut chain = vec![frame];
        let mut current = frame;
        while let Some(owner) = self.frames.get(&current).and_then(|frame| frame.owner.as_ref()) {
            current = owner.frame;
            chain.push(current);
        }
        if current != FrameId::ROOT {
            chain.push(FrameId::ROOT);
        }
        chain
    }

    /// The record of a step as a frame sees it: its own, those it stands in, or the latest anywhere.
    pub(crate) fn record(&self, frame: FrameId, step: &StepId) -> Option<&StepRecord> {
        let own = self.chain(frame).into_iter().find_map(|frame| self.steps.get(&(frame, step.clone())));
        own.or_else(|| {
            let all = self.steps.iter().filter(|((_, id), _)| id == step).map(|(_, record)| record);
            all.max_by_key(|record| record.started_at)
        })
    }
}

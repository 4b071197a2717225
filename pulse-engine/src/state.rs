//! What an execution is at a point of its journal. Built by [`crate::apply`] and by nothing else.

use indexmap::IndexMap;
use pulse_core::command::{CommandEnd, CommandSpec};
use pulse_core::event::{OpenOption, ParentRef, StepRef, WorkerRef, WorkflowRef};
use pulse_core::ids::{Attempt, CommandId, ExecutionId, FrameId, PromptId, Seq, StepId, WorkerId};
use pulse_core::status::{CommandStatus, ExecutionStatus, StepStatus, Trigger};
use pulse_core::time::Timestamp;
use pulse_core::workflow::Param;
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
    /// The values that steps have read and set: always an object.
    pub vars: Arc<Value>,
    /// The frames that have not ended, and the root frame.
    pub frames: IndexMap<FrameId, Frame>,
    /// Every step that has started or was skipped, per frame, with its last run there.
    pub steps: IndexMap<(FrameId, StepId), StepRecord>,
    /// Which step each command belongs to.
    pub commands: HashMap<CommandId, (FrameId, StepId)>,
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

/// An execution that a step has started.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildRecord {
    /// Its id.
    pub execution_id: ExecutionId,
    /// The step.
    pub step: StepId,
    /// Its workflow's name.
    pub workflow: String,
    /// What it was given.
    pub params: Arc<Value>,
    /// How deep it is.
    pub depth: u32,
    /// How it ended.
    pub status: Option<ExecutionStatus>,
}

/// What an execution was started with.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The stored workflow; `None` for a quick command.
    pub workflow: Option<WorkflowRef>,
    /// The definition of a quick command.
    pub definition: Option<String>,
    /// All parameters: always an object.
    pub params: Arc<Value>,
    /// Targets that replace the document's own.
    pub targets: Option<Vec<String>>,
    /// Who started it.
    pub started_by: String,
    /// What started it.
    pub trigger: Trigger,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// The execution whose step runs this one.
    pub parent: Option<ParentRef>,
}

/// The running of one list of steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The step that runs it; `None` for the top-level lists.
    pub owner: Option<StepRef>,
    /// Which list of the document.
    pub list: u32,
    /// Which of its owner's frames, from 0.
    pub index: u32,
    /// What it is called.
    pub name: String,
    /// The item that its steps see, under its name.
    pub item: Option<(String, Arc<Value>)>,
    /// Where it is.
    pub position: Position,
    /// The step at its position, when that has started and not ended.
    pub active: Option<Active>,
    /// The last command that ended in it or before it, as expressions see it.
    pub last: Option<Arc<Value>>,
    /// The last execute step whose commands ended: what a parse step reads.
    pub last_step: Option<(FrameId, StepId)>,
    /// Why its last failed step failed.
    pub error: Option<String>,
}

impl Frame {
    /// A frame before its first step.
    pub(crate) fn new(list: u32, name: &str) -> Self {
        Self {
            owner: None,
            list,
            index: 0,
            name: name.to_owned(),
            item: None,
            position: Position::Start,
            active: None,
            last: None,
            last_step: None,
            error: None,
        }
    }

    /// Whether its list is over.
    pub fn is_over(&self) -> bool {
        matches!(self.position, Position::Ended | Position::Failed)
    }
}

/// Where a frame is in its list of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// Before its first step.
    Start,
    /// At a step.
    At(StepId),
    /// It has ended well.
    Ended,
    /// It has failed.
    Failed,
}

/// A step that has started and not ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Active {
    /// Which step.
    pub at: StepRef,
    /// What it is doing.
    pub run: Run,
}

/// What a started step is doing.
#[derive(Clone, Debug, PartialEq)]
pub enum Run {
    /// It has just started.
    Started,
    /// Commands on workers.
    Execute(ExecuteRun),
    /// A question is open.
    Prompt(OpenPrompt),
    /// It waits for a time.
    Wait {
        /// Which.
        until: Timestamp,
    },
    /// Lists of steps run side by side.
    Frames(FramesRun),
    /// Another execution runs.
    Child {
        /// Which.
        execution_id: ExecutionId,
    },
}

/// Lists of steps side by side: branches, or items.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FramesRun {
    /// The items of a foreach; empty for branches.
    pub items: Arc<Vec<Value>>,
    /// How many frames have started.
    pub started: u32,
    /// Which run now.
    pub running: Vec<FrameId>,
    /// How many have failed.
    pub failed: u32,
}

/// How a frame of a step ended.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameResult {
    /// What it is called.
    pub name: String,
    /// Its item.
    pub item: Option<Arc<Value>>,
    /// How it ended.
    pub status: StepStatus,
    /// Why it failed.
    pub error: Option<String>,
    /// The last command that ended in it.
    pub last: Option<Arc<Value>>,
}

/// An execute step's roll-out.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ExecuteRun {
    /// Its targets, in registry order.
    pub targets: Vec<Target>,
    /// What runs on each, once the first was sent; shared, and never rendered twice.
    pub command: Option<(Arc<CommandSpec>, Arc<str>)>,
    /// Until when targets that are not online are waited for.
    pub await_until: Option<Timestamp>,
    /// Whether no further target is started.
    pub stopped: bool,
}

/// One target of a roll-out.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Which worker.
    pub worker: WorkerRef,
    /// How far it is.
    pub state: TargetState,
}

/// How far a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// Not started.
    Waiting,
    /// Not online; it gets the command when it is.
    Awaited,
    /// A command is on its way or runs.
    Running {
        /// Which.
        command_id: CommandId,
        /// Which try.
        attempt: Attempt,
    },
    /// Another try is due later.
    Retry {
        /// Which try comes next.
        attempt: Attempt,
        /// When.
        at: Timestamp,
    },
    /// It has succeeded.
    Succeeded,
    /// It has failed for good; why, in words.
    Failed(String),
    /// It was left out.
    Skipped,
}

/// A question that waits for its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenPrompt {
    /// Its id.
    pub id: PromptId,
    /// The question.
    pub message: String,
    /// What may be answered.
    pub options: Vec<OpenOption>,
    /// The output to review.
    pub output: String,
    /// When it is too late.
    pub deadline: Timestamp,
    /// What else is asked.
    pub fields: Vec<Param>,
    /// Groups whose members may answer; every operator when empty.
    pub allow: Vec<String>,
}

/// A step that has started, with its last run.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRecord {
    /// Its name.
    pub name: Arc<str>,
    /// How often it has started.
    pub run: u32,
    /// Where it stands.
    pub status: StepStatus,
    /// When its last run started.
    pub started_at: Option<Timestamp>,
    /// When that ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<String>,
    /// The commands of its last run, in the order in which they were sent.
    pub commands: Vec<CommandRecord>,
    /// The workers of its last run, in target order.
    pub targets: Vec<Arc<str>>,
    /// The last result of each worker, in the order in which they came.
    pub results: IndexMap<Arc<str>, WorkerResult>,
    /// The last answer, who gave it and when, and the hash of the output that was shown.
    pub response: Option<Answer>,
    /// Hash of the output that the open or last prompt showed.
    pub shown: Option<String>,
    /// How its branches or items ended, in their order.
    pub frames: Vec<Option<FrameResult>>,
    /// How its child ended, and with which values.
    pub child: Option<(ExecutionId, ExecutionStatus, Arc<Value>)>,
}

/// An answer to a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What was answered.
    pub response: String,
    /// By whom; `None` when the timeout chose it.
    pub by: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// One attempt of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandRecord {
    /// Its id.
    pub id: CommandId,
    /// On which worker.
    pub worker: WorkerRef,
    /// Which try.
    pub attempt: Attempt,
    /// Where it stands.
    pub status: CommandStatus,
    /// How it ended.
    pub exit_code: Option<i32>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<u64>,
}

/// A worker's last result within a step.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerResult {
    /// Whether it counts as success.
    pub success: bool,
    /// How it ended.
    pub end: Arc<CommandEnd>,
    /// What a parse step read from it.
    pub vars: Map<String, Value>,
}

/// A command that is on its way or runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Outstanding {
    /// Its id.
    pub command_id: CommandId,
    /// On which worker.
    pub worker: WorkerRef,
    /// Of which step.
    pub step: StepId,
    /// Which try.
    pub attempt: Attempt,
    /// What is run.
    pub spec: Arc<CommandSpec>,
}

impl State {
    /// The state before the first event.
    pub fn new(id: ExecutionId) -> Self {
        Self {
            id,
            last_seq: Seq(0),
            origin: None,
            vars: Arc::new(Value::Object(Map::new())),
            frames: IndexMap::new(),
            steps: IndexMap::new(),
            commands: HashMap::new(),
            steps_started: 0,
            steps_before: 0,
            frames_started: 0,
            phase: Phase::Main,
            queued: false,
            deadline: None,
            children: Vec::new(),
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
        self.active().filter_map(|(_, active)| active.run.wake_at()).chain(deadline).min()
    }

    /// The open questions, with their frames and steps.
    pub fn prompts(&self) -> impl Iterator<Item = (FrameId, &StepRef, &OpenPrompt)> {
        self.active().filter_map(|(frame, active)| match &active.run {
            Run::Prompt(prompt) if self.finished.is_none() => Some((frame, &active.at, prompt)),
            _ => None,
        })
    }

    /// The commands that are on their way or run.
    pub fn outstanding(&self) -> Vec<Outstanding> {
        let mut found = Vec::new();
        for (_, active) in self.active() {
            let Run::Execute(run) = &active.run else { continue };
            let Some((spec, _)) = &run.command else { continue };
            found.extend(run.targets.iter().filter_map(|target| match target.state {
                TargetState::Running { command_id, attempt } => Some(Outstanding {
                    command_id,
                    worker: target.worker.clone(),
                    step: active.at.step_id.clone(),
                    attempt,
                    spec: spec.clone(),
                }),
                _ => None,
            }));
        }
        found
    }

    /// A command of the last run of a step, with the step.
    pub fn command(&self, id: CommandId) -> Option<(&StepId, &CommandRecord)> {
        let key = self.commands.get(&id)?;
        let command = self.steps.get(key)?.commands.iter().rev().find(|command| command.id == id)?;
        Some((&key.1, command))
    }

    /// Whether a command of a worker is one of this execution.
    pub fn owns(&self, id: CommandId, worker: WorkerId) -> bool {
        self.command(id).is_some_and(|(_, command)| command.worker.worker_id == worker)
    }

    /// The workers whose coming is waited for.
    pub fn awaited(&self) -> Vec<WorkerId> {
        let runs = self.active().filter_map(|(_, active)| match &active.run {
            Run::Execute(run) => Some(run),
            _ => None,
        });
        let awaited = |target: &&Target| target.state == TargetState::Awaited;
        runs.flat_map(|run| run.targets.iter().filter(awaited).map(|target| target.worker.worker_id)).collect()
    }

    /// The child executions that have been started and not ended.
    pub fn open_children(&self) -> impl Iterator<Item = &ChildRecord> {
        self.children.iter().filter(|child| child.status.is_none())
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

impl Run {
    /// When something is due.
    pub fn wake_at(&self) -> Option<Timestamp> {
        match self {
            Self::Started | Self::Frames(_) | Self::Child { .. } => None,
            Self::Prompt(prompt) => Some(prompt.deadline),
            Self::Wait { until } => Some(*until),
            Self::Execute(run) => run
                .targets
                .iter()
                .filter_map(|target| match target.state {
                    TargetState::Retry { at, .. } => Some(at),
                    TargetState::Awaited => run.await_until,
                    _ => None,
                })
                .min(),
        }
    }
}

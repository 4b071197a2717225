//! What an execution is at a point of its journal. Built by [`crate::apply`] and by nothing else.

use indexmap::IndexMap;
use pulse_core::command::{CommandEnd, CommandSpec};
use pulse_core::event::{OpenOption, StepRef, WorkerRef, WorkflowRef};
use pulse_core::ids::{Attempt, CommandId, ExecutionId, FrameId, PromptId, Seq, StepId, WorkerId};
use pulse_core::status::{CommandStatus, ExecutionStatus, StepStatus, Trigger};
use pulse_core::time::Timestamp;
use serde_json::{Map, Value};
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
    /// Every step that has started or was skipped, with its last run.
    pub steps: IndexMap<StepId, StepRecord>,
    /// How many steps have started.
    pub steps_started: u32,
    /// The last command that ended, as expressions see it.
    pub last: Option<Arc<Value>>,
    /// The last execute step whose commands ended: what a parse step reads.
    pub last_step: Option<StepId>,
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
}

/// The running of one list of steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The frame whose step runs this one; `None` for the root.
    pub parent: Option<FrameId>,
    /// Where it is.
    pub position: Position,
    /// The step at its position, when that has started and not ended.
    pub active: Option<Active>,
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
}

/// An execute step's roll-out.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ExecuteRun {
    /// Its targets, in registry order.
    pub targets: Vec<Target>,
    /// What runs on each, once the first was sent; shared, and never rendered twice.
    pub command: Option<(Arc<CommandSpec>, Arc<str>)>,
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
    /// The last result of each worker, in target order.
    pub results: IndexMap<Arc<str>, WorkerResult>,
    /// The last answer, and who gave it.
    pub response: Option<(String, Option<String>)>,
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
            steps_started: 0,
            last: None,
            last_step: None,
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
            None if self.started_at.is_none() => ExecutionStatus::Queued,
            None if self.is_waiting() => ExecutionStatus::Waiting,
            None => ExecutionStatus::Running,
        }
    }

    /// Whether everything that goes on waits for a person or for a time.
    fn is_waiting(&self) -> bool {
        let mut active = self.frames.values().filter_map(|frame| frame.active.as_ref()).peekable();
        active.peek().is_some() && active.all(|active| matches!(active.run, Run::Prompt(_) | Run::Wait { .. }))
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
        self.active().filter_map(|(_, active)| active.run.wake_at()).min()
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

    /// A command that was ever sent within the last runs of the steps, with its step.
    pub fn command(&self, id: CommandId) -> Option<(&StepId, &CommandRecord)> {
        self.steps.iter().find_map(|(step, record)| {
            record.commands.iter().rev().find(|command| command.id == id).map(|command| (step, command))
        })
    }

    /// Whether a command of a worker is one of this execution.
    pub fn owns(&self, id: CommandId, worker: WorkerId) -> bool {
        self.command(id).is_some_and(|(_, command)| command.worker.worker_id == worker)
    }
}

impl Run {
    /// When something is due.
    pub fn wake_at(&self) -> Option<Timestamp> {
        match self {
            Self::Started => None,
            Self::Prompt(prompt) => Some(prompt.deadline),
            Self::Wait { until } => Some(*until),
            Self::Execute(run) => run
                .targets
                .iter()
                .filter_map(|target| match target.state {
                    TargetState::Retry { at, .. } => Some(at),
                    _ => None,
                })
                .min(),
        }
    }
}

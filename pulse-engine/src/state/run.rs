//! What a started step is doing.

use pulse_core::command::CommandSpec;
use pulse_core::event::{OpenOption, StepRef, WorkerRef};
use pulse_core::ids::{Attempt, CommandId, ExecutionId, FrameId, PromptId, StepId};
use pulse_core::time::Timestamp;
use pulse_core::workflow::Param;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A step that has started and not ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Active {
    /// Which step.
    pub at: StepRef,
    /// What it is doing.
    pub run: Run,
    /// When it has to be over.
    pub deadline: Option<Timestamp>,
}

impl Active {
    /// When something is due.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.run.wake_at().into_iter().chain(self.deadline).min()
    }

    /// Whether its time is over, and was so before anything that it waits for came.
    pub(crate) fn is_out_of_time(&self, now: Timestamp) -> bool {
        self.deadline.is_some_and(|at| at <= now && self.run.wake_at().is_none_or(|due| at < due))
    }
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

impl Run {
    /// When something is due.
    pub fn wake_at(&self) -> Option<Timestamp> {
        match self {
            Self::Started | Self::Frames(_) | Self::Child { .. } => None,
            Self::Prompt(prompt) => Some(prompt.deadline),
            Self::Wait { until } => Some(*until),
            Self::Execute(run) => {
                let due = run.targets.iter().filter_map(|target| match target.state {
                    TargetState::Retry { at, .. } => Some(at),
                    TargetState::Awaited => run.await_until,
                    _ => None,
                });
                due.chain(run.await_until.filter(|_| run.awaits_any())).min()
            }
        }
    }
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

/// An execute step's roll-out.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ExecuteRun {
    /// What was asked for.
    pub selector: Arc<[String]>,
    /// Its targets, in registry order.
    pub targets: Vec<Target>,
    /// What runs on each, once the first was sent; shared, and never rendered twice.
    pub command: Option<(Arc<CommandSpec>, Arc<str>)>,
    /// Until when targets that are not online are waited for.
    pub await_until: Option<Timestamp>,
    /// Whether the first of those is enough.
    pub await_any: bool,
    /// Commands of which was said that they wait for their workers. They may have been sent since.
    pub held: BTreeSet<CommandId>,
    /// Whether no further target is started.
    pub stopped: bool,
}

impl ExecuteRun {
    /// The commands that are on their way or run.
    pub(crate) fn outstanding(&self, step: &StepId) -> impl Iterator<Item = Outstanding> {
        let spec = self.command.as_ref().map(|(spec, _)| spec);
        self.targets.iter().filter_map(move |target| match target.state {
            TargetState::Running { command_id, attempt } => Some(Outstanding {
                command_id,
                worker: target.worker.clone(),
                step: step.clone(),
                attempt,
                spec: spec?.clone(),
            }),
            _ => None,
        })
    }

    /// Whether whoever comes first gets the command, and nobody has come yet.
    pub fn awaits_any(&self) -> bool {
        self.await_any && self.targets.iter().all(|target| target.state == TargetState::Awaited)
    }
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

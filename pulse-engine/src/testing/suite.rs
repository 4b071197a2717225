//! What a test file says: a workflow, the workers there are, and tests, each with what it is given and what it expects.

use crate::fleet::FleetWorker;
use pulse_core::command::CommandEnd;
use pulse_core::diagnostic::Position;
use pulse_core::ids::{ExecutionId, StepId};
use pulse_core::status::{ExecutionStatus, StepStatus};
use pulse_core::time::Timestamp;
use serde_json::{Map, Value};
use std::time::Duration;
use uuid::Uuid;

/// When a test starts that does not say when: 2026-01-01T00:00:00Z, a Thursday.
pub const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// The execution of a test that does not say which.
pub const EXECUTION: ExecutionId = ExecutionId(Uuid::from_u128(0x019b_7700_0000_7000_8000_0000_0000_0001));
/// Who starts the execution of a test that does not say who, and answers where it does not say who.
pub const TESTER: &str = "tester";

/// A test file.
#[derive(Clone, Debug)]
pub struct Suite {
    /// What is tested.
    pub definition: Definition,
    /// The workers that commands can go to, in registry order.
    pub workers: Vec<FleetWorker>,
    /// The tests.
    pub cases: Vec<Case>,
}

/// Where the workflow of a test file stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Definition {
    /// In a file, as the test file names it.
    File {
        /// The file.
        path: String,
        /// Where the test file names it.
        at: Position,
    },
    /// In the test file itself (`definition`).
    Inline(String),
}

/// One test.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, unique in its file.
    pub name: String,
    /// Parameters as they are given; defaults are added.
    pub params: Map<String, Value>,
    /// Where they stand.
    pub params_at: Position,
    /// Targets that replace the document's own.
    pub targets: Option<Vec<String>>,
    /// Which execution it is: `execution.id` in expressions.
    pub id: ExecutionId,
    /// Who starts it.
    pub started_by: String,
    /// When it starts.
    pub start: Timestamp,
    /// What workers and people do, in order.
    pub given: Vec<Given>,
    /// What has to come out.
    pub expect: Expect,
    /// Where it stands.
    pub at: Position,
}

/// What happens at a step, from outside.
#[derive(Clone, Debug)]
pub struct Given {
    /// At which step; none for an abort at a time of the execution.
    pub step: Option<StepId>,
    /// On which worker; any when `None`.
    pub worker: Option<String>,
    /// At which attempt of a command; any when `None`.
    pub attempt: Option<u32>,
    /// How often it happens; for a command on any worker, on each.
    pub times: u32,
    /// How long after the step asked; without a step, after the start.
    pub after: Duration,
    /// How long a command or a child execution that is told to stop goes on, unless it ends by itself before.
    pub stops_after: Duration,
    /// What.
    pub reaction: Reaction,
    /// Where it stands, in structure and text.
    pub path: String,
    /// Where it stands in the text.
    pub at: Position,
}

/// What workers and people do.
#[derive(Clone, Debug, PartialEq)]
pub enum Reaction {
    /// A command ends.
    End(Box<CommandEnd>),
    /// A person answers.
    Answer {
        /// The answer.
        response: String,
        /// Who.
        by: String,
        /// The answers to what else was asked.
        fields: Map<String, Value>,
    },
    /// Nobody answers until the prompt's time is over.
    Timeout,
    /// A child execution ends.
    Child {
        /// How.
        status: ExecutionStatus,
        /// Why it failed.
        error: Option<String>,
        /// Its values at its end.
        state: Map<String, Value>,
        /// Which it is: what `steps.<id>.execution_id` gives; drawn when `None`.
        id: Option<ExecutionId>,
    },
    /// A worker that the step waits for comes online.
    Online,
    /// Somebody ends the execution while the step waits or runs.
    Abort {
        /// Who.
        by: String,
        /// Why.
        reason: Option<String>,
    },
}

impl Given {
    /// What it is and where, in a few words.
    pub fn describe(&self) -> String {
        let what = self.reaction.describe();
        self.step.as_ref().map_or_else(|| what.clone(), |step| format!("{what} at step `{step}`"))
    }
}

impl Reaction {
    /// The kind of step that it belongs to, in words; `None` when it fits every step that takes time.
    pub(super) fn belongs_to(&self) -> Option<&'static str> {
        match self {
            Self::End(_) | Self::Online => Some("execute"),
            Self::Answer { .. } | Self::Timeout => Some("prompt"),
            Self::Child { .. } => Some("workflow"),
            Self::Abort { .. } => None,
        }
    }

    /// What it is, in a few words.
    pub fn describe(&self) -> String {
        match self {
            Self::End(end) => end.describe(),
            Self::Answer { response, .. } => format!("answer `{response}`"),
            Self::Timeout => "nobody answers".to_owned(),
            Self::Child { status, .. } => format!("the child execution is {status}"),
            Self::Online => "a worker comes online".to_owned(),
            Self::Abort { .. } => "abort".to_owned(),
        }
    }
}

/// What has to come out. What is not said is not checked.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// How the execution ends, or `waiting` when it has to wait for a person who is not given.
    pub status: Option<ExecutionStatus>,
    /// A part of its error.
    pub error: Option<String>,
    /// The ids of the steps that started, in order. Skipped ones have not started.
    pub path: Option<Vec<StepId>>,
    /// Values that state must hold at the end, among others.
    pub state: Map<String, Value>,
    /// The commands of steps, with values in place.
    pub commands: Vec<(StepId, Texts)>,
    /// The questions of prompts, with values in place.
    pub prompt: Vec<(StepId, Texts)>,
    /// How steps stand at the end.
    pub steps: Vec<(StepId, StepStatus)>,
}

/// Texts that a step has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Texts {
    /// Every time this one, and at least once.
    Always(String),
    /// These, in order.
    InOrder(Vec<String>),
}

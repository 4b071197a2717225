//! Steps: the fields all share, and one type per kind.

use super::model::{Concerning, OnError, Source};
use super::params::Param;
use crate::ids::StepId;
use indexmap::IndexMap;
use std::time::Duration;

/// One step of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Unique in the document.
    pub id: StepId,
    /// Shown to people.
    pub name: String,
    /// When false, the step is skipped and the skip is logged.
    pub condition: Option<Source>,
    /// Where to go after success; the next step when `None`.
    pub goto: Option<Goto>,
    /// Where that stands; where the step does when nothing is said.
    pub goto_at: Concerning,
    /// Where to go after failure.
    pub on_error: OnError,
    /// Where that stands; where the step does when nothing is said.
    pub on_error_at: Concerning,
    /// How long one run of it may take; `None` for steps that have a time limit of their own kind (`execute`, `prompt`) and
    /// for those that end at once.
    pub timeout: Option<Duration>,
    /// What it does.
    pub kind: StepKind,
    /// Where it stands.
    pub concerning: Concerning,
}

/// A jump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goto {
    /// To a step of the same list.
    Step(StepId),
    /// The list ends well.
    End,
    /// The list fails.
    Fail,
}

impl Goto {
    /// A jump from its text; `end` and `fail` are no step ids.
    pub fn from_text(text: &str) -> Self {
        match text {
            "end" => Self::End,
            "fail" => Self::Fail,
            id => Self::Step(id.into()),
        }
    }

    /// The text that stands for it in a document.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Step(id) => id.as_str(),
            Self::End => "end",
            Self::Fail => "fail",
        }
    }
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// Runs a command on workers.
    Execute(Box<Execute>),
    /// Reads the last output into state.
    Parse(Parse),
    /// Takes the first condition that holds.
    Route(Route),
    /// Waits for a person.
    Prompt(Box<Prompt>),
    /// Waits for time to pass.
    Wait(Wait),
    /// Sets values in state.
    Set(Set),
    /// Runs several lists of steps side by side.
    Parallel(Parallel),
    /// Runs a list of steps for each of several items.
    Foreach(Foreach),
    /// Runs another workflow as an execution of its own.
    Workflow(Child),
}

impl StepKind {
    /// The word for it in a document.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Execute(_) => "execute",
            Self::Parse(_) => "parse",
            Self::Route(_) => "route",
            Self::Prompt(_) => "prompt",
            Self::Wait(_) => "wait",
            Self::Set(_) => "set",
            Self::Parallel(_) => "parallel",
            Self::Foreach(_) => "foreach",
            Self::Workflow(_) => "workflow",
        }
    }

    /// The lists of steps within the step.
    pub fn lists(&self) -> Vec<&[Step]> {
        match self {
            Self::Parallel(parallel) => parallel.branches.iter().map(|branch| branch.steps.as_slice()).collect(),
            Self::Foreach(foreach) => vec![&foreach.steps],
            _ => Vec::new(),
        }
    }
}

/// Several lists of steps side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Parallel {
    /// The lists, at least one.
    pub branches: Vec<Branch>,
    /// Whether the first failure ends the other branches.
    pub fail_fast: bool,
}

/// One list of steps among several.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// Shown to people.
    pub name: String,
    /// At least one.
    pub steps: Vec<Step>,
}

/// A list of steps for each of several items.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreach {
    /// What is gone through.
    pub items: Items,
    /// Under which name steps see their item.
    pub name: String,
    /// How many items at once.
    pub parallel: u32,
    /// Whether the first failure ends the others.
    pub fail_fast: bool,
    /// At least one.
    pub steps: Vec<Step>,
}

/// What a foreach goes through.
#[derive(Clone, Debug, PartialEq)]
pub enum Items {
    /// Values from the document; texts are templates.
    List(Vec<Source>),
    /// What an expression gives: a list, or a mapping whose entries become `{key, value}`.
    Expression(Source),
}

/// Another workflow, run as an execution of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Child {
    /// Its name, templated.
    pub workflow: Source,
    /// Its parameters, templated; a template that is a single placeholder keeps its value's type.
    pub params: IndexMap<String, Source>,
}

/// A command on workers.
#[derive(Clone, Debug, PartialEq)]
pub struct Execute {
    /// What is run.
    pub program: Program,
    /// On which workers; the document's when `None`.
    pub targets: Option<Vec<Source>>,
    /// Environment, on top of the document's.
    pub env: IndexMap<String, Source>,
    /// Working directory.
    pub cwd: Option<Source>,
    /// Standard input.
    pub stdin: Option<Source>,
    /// Exit codes that count as success.
    pub success_codes: Vec<i32>,
    /// What happens after a failed attempt.
    pub retry: Retry,
    /// Of one attempt.
    pub timeout: Duration,
    /// How many targets at once, and when the roll-out stops.
    pub strategy: Strategy,
    /// What happens to targets that are not online.
    pub on_offline: OnOffline,
    /// Whether a command whose worker died while it ran is tried again.
    pub retry_lost: bool,
    /// Short for a parse step behind it.
    pub parse: Option<ParseFormat>,
}

/// What an execute step runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// `SHELL -c SCRIPT`.
    Script {
        /// The shell.
        shell: String,
        /// Templated; values travel as environment variables.
        script: Source,
    },
    /// A program and its arguments, no shell.
    Argv(Vec<Source>),
}

/// When and how often a failed command is tried again.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// How often, after the first attempt.
    pub retries: u32,
    /// Before the first retry.
    pub delay: Duration,
    /// How the delay grows.
    pub backoff: Backoff,
    /// What it grows to at most.
    pub max_delay: Duration,
    /// Whether the delay is drawn between half and whole.
    pub jitter: bool,
    /// Exit codes that are worth a retry; all when empty.
    pub on: Vec<i32>,
}

/// How a delay grows from retry to retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backoff {
    /// It does not.
    Fixed,
    /// It doubles.
    Exponential,
}

/// The roll-out over several targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strategy {
    /// How many targets at once.
    pub parallel: Width,
    /// How many targets may fail before no further one is started.
    pub max_failures: Threshold,
}

/// How many targets at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// All.
    All,
    /// A number, at least 1.
    Count(u32),
    /// A share of all, 1 to 100, rounded up.
    Percent(u32),
}

impl Width {
    /// How many of `total` targets that is: at least one.
    pub fn of(self, total: usize) -> usize {
        match self {
            Self::All => total.max(1),
            Self::Count(count) => (count as usize).max(1),
            Self::Percent(percent) => (total * percent as usize).div_ceil(100).max(1),
        }
    }
}

/// How many failures are borne.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// A number.
    Count(u32),
    /// A share of all, 0 to 100, rounded down.
    Percent(u32),
}

impl Threshold {
    /// How many of `total` targets that is.
    pub fn of(self, total: usize) -> usize {
        match self {
            Self::Count(count) => count as usize,
            Self::Percent(percent) => total * percent as usize / 100,
        }
    }
}

/// What happens to targets that are not online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOffline {
    /// They are left out, and the log says so; the step fails if none is left.
    Skip,
    /// The step fails.
    Fail,
    /// They get the command when they come, for at most this long.
    Wait(Duration),
}

/// Reads output into state.
#[derive(Clone, Debug, PartialEq)]
pub struct Parse {
    /// Whose output; the last command's when `None`.
    pub from: Option<StepId>,
    /// Where that stands; where the step does when nothing is said.
    pub from_at: Concerning,
    /// How it is read.
    pub format: ParseFormat,
}

/// How output is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseFormat {
    /// `KEY=value` lines.
    KeyValue,
    /// One JSON object.
    Json,
    /// All lines, under one name.
    Lines {
        /// The name.
        name: String,
    },
    /// The named groups of a pattern's first match.
    Regex {
        /// The pattern.
        pattern: String,
    },
}

impl ParseFormat {
    /// The word for it in a document.
    pub fn name(&self) -> &'static str {
        match self {
            Self::KeyValue => "kv",
            Self::Json => "json",
            Self::Lines { .. } => "lines",
            Self::Regex { .. } => "regex",
        }
    }
}

/// A choice among ways.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// In order; the first that holds is taken.
    pub conditions: Vec<Condition>,
}

/// One way of a route.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// When it is taken; always when `None` (the default).
    pub when: Option<Source>,
    /// Where it leads.
    pub goto: Goto,
    /// Where that stands.
    pub goto_at: Concerning,
    /// What it is called, templated.
    pub label: Option<Source>,
    /// Where the condition stands.
    pub concerning: Concerning,
}

/// A question to a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// The question, templated.
    pub message: Source,
    /// What may be answered, at least one.
    pub options: Vec<PromptOption>,
    /// How long it waits.
    pub timeout: Duration,
    /// What happens then.
    pub on_timeout: OnTimeout,
    /// Where that stands; where the step does when nothing is said.
    pub on_timeout_at: Concerning,
    /// What else is asked; the answers go into state.
    pub fields: Vec<Param>,
    /// Groups whose members may answer; every operator when empty.
    pub allow: Vec<String>,
}

/// What an unanswered prompt does when its time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnTimeout {
    /// The step fails.
    Fail,
    /// It counts as answered with this option.
    Option(String),
    /// The step ends well and goes on there.
    Goto(Goto),
}

/// One answer to a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptOption {
    /// Shown on the button, templated.
    pub label: Source,
    /// What the answer counts as; the label when not given.
    pub value: Option<String>,
    /// Where the answer leads.
    pub goto: Option<Goto>,
    /// Where that stands; where the option does when nothing is said.
    pub goto_at: Concerning,
    /// Whether the button is drawn as dangerous.
    pub danger: bool,
}

/// Waiting.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// For how long, or until when.
    pub for_: WaitFor,
}

/// How long a wait takes.
#[derive(Clone, Debug, PartialEq)]
pub enum WaitFor {
    /// So long.
    Duration(Duration),
    /// Until a time that an expression gives: RFC 3339 text, or seconds since the epoch.
    Until(Source),
}

/// Setting values.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    /// Name and expression, in order.
    pub values: IndexMap<String, Source>,
}

//! The document as a whole.

use super::{Param, Step};
use crate::diagnostic::Position;
use crate::ids::StepId;
use indexmap::IndexMap;
use std::time::Duration;

/// Text that the engine will compile (an expression or a template), with its place in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The text as written.
    pub text: String,
    /// Where in the structure, like `steps[2].command`.
    pub path: String,
    /// Where in the text.
    pub at: Position,
}

/// Something a later finding can point at.
pub type Concerning = (String, Position);

/// A whole workflow document.
#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    /// Required when stored; free text of 1 to 120 characters.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What has to be given when it is started.
    pub params: Vec<Param>,
    /// Targets of every execute step that names none: selectors, templated.
    pub targets: Option<Vec<Source>>,
    /// Values for steps that do not say otherwise.
    pub defaults: Defaults,
    /// Environment of every command, templated.
    pub env: IndexMap<String, Source>,
    /// Whether a condition that fails at run time counts as false, as in the first PULSE.
    pub lenient_conditions: bool,
    /// How many steps may start in one execution.
    pub max_steps: u32,
    /// Told when an execution ends or waits for input.
    pub webhook: Option<String>,
    /// Of the whole execution's main steps.
    pub timeout: Option<Duration>,
    /// How many executions of the workflow run at once, and what happens to more.
    pub concurrency: Option<Concurrency>,
    /// The steps, at least one.
    pub steps: Vec<Step>,
    /// Steps that run once when the main steps have failed or were aborted.
    pub on_failure: Vec<Step>,
    /// Steps that always run, last.
    pub finally: Vec<Step>,
}

/// A limit on executions of one workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrency {
    /// How many at once.
    pub limit: u32,
    /// What happens to more.
    pub policy: ConcurrencyPolicy,
}

/// What happens to an execution beyond the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConcurrencyPolicy {
    /// It waits its turn.
    Queue,
    /// It is refused.
    Skip,
    /// The oldest is aborted in its favour.
    CancelOldest,
}

impl Workflow {
    /// Every step of the document in the order in which it is written, with the step it stands in: main steps, then
    /// `on_failure`, then `finally`.
    pub fn all_steps(&self) -> Vec<(&Step, Option<&StepId>)> {
        fn walk<'w>(steps: &'w [Step], parent: Option<&'w StepId>, found: &mut Vec<(&'w Step, Option<&'w StepId>)>) {
            for step in steps {
                found.push((step, parent));
                step.kind.lists().into_iter().for_each(|list| walk(list, Some(&step.id), found));
            }
        }
        let mut found = Vec::new();
        [&self.steps, &self.on_failure, &self.finally].into_iter().for_each(|list| walk(list, None, &mut found));
        found
    }
}

/// Values for steps that do not say otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Defaults {
    /// Of one attempt.
    pub timeout: Duration,
    /// How often a failed command is tried again.
    pub retries: u32,
    /// Run as `SHELL -c`.
    pub shell: String,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(300), retries: 0, shell: "/bin/sh".into() }
    }
}

/// What happens when a step has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnError {
    /// The list of steps fails.
    Fail,
    /// Go on as if it had succeeded.
    Continue,
    /// Go to a step of the same list.
    Step(StepId),
}

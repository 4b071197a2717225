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
    /// The steps, at least one.
    pub steps: Vec<Step>,
}

impl Workflow {
    /// The step with an id, and its number from 1.
    pub fn step(&self, id: &StepId) -> Option<(u32, &Step)> {
        self.steps.iter().zip(1..).find(|(step, _)| step.id == *id).map(|(step, number)| (number, step))
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
